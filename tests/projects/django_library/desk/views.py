"""Views of the desk."""

from django.db import transaction
from django.http import JsonResponse
from django.views import View

from desk.models import Shelf


class Take(View):
    """Take a place on a shelf."""

    def post(self, request, number):
        shelf = Shelf.objects.select_for_update().get(number=number)  # PB127
        shelf.free -= 1
        shelf.save(update_fields=["free"])
        return JsonResponse({"free": shelf.free})


class TakeSafely(View):
    """Take a place on a shelf, and nobody else does."""

    def post(self, request, number):
        with transaction.atomic():
            shelf = Shelf.objects.select_for_update().get(number=number)
            shelf.free -= 1
            shelf.save(update_fields=["free"])
        return JsonResponse({"free": shelf.free})
