"""Pages of the archive."""

from django.http import HttpResponse
from media_common.pictures import picture

from app.models import Picture
from app.titles import titles, titles_at_once


def index(request):
    return HttpResponse("".join(titles() + titles_at_once()))


def show(request, key):
    return HttpResponse(picture(key))


async def show_later(request, key):
    found = await Picture.objects.aget(key=key)
    return HttpResponse(picture(found.key))  # PB600
