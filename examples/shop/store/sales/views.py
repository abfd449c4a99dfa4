from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from sales.models import Order
from sales.services import has_unpaid_orders, unpaid_orders


class Invoices(LoginRequiredMixin, View):
    @method_decorator(never_cache)
    def get(self, request):
        lines = []
        for order in Order.objects.prefetch_related("lines").filter(customer=request.user):
            lines.append({"order": order.reference, "lines": len(order.lines.all())})
        return JsonResponse({"lines": lines})


class Unpaid(LoginRequiredMixin, View):
    def get(self, request):
        if not has_unpaid_orders(request.user):
            return JsonResponse({"orders": []})
        orders = [
            {"reference": order.reference, "customer": order.customer.email}
            for order in unpaid_orders(newest_first=True)
        ]
        return JsonResponse({"orders": orders})
