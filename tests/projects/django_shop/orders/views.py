"""Pages of orders."""

import requests
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from orders.models import Order
from orders.notes import stored
from orders.payments import pay_once
from orders.searching import ordered, ordered_by_choice
from orders.texts import addresses


def open_orders(request):
    return render(request, "orders.html", {"addresses": addresses()})


def pay(request, order_id):
    order = Order.objects.get(pk=order_id)
    pay_once(order, f"R{order_id}")
    return redirect("orders")


def note(request, order_id):
    path = stored(request.POST["name"])
    return HttpResponse(path)


def search(request):
    return JsonResponse({"found": ordered(request.GET["order"])})


def search_by_choice(request):
    return JsonResponse({"found": ordered_by_choice(request.GET["order"])})


def go(request):
    return redirect(request.GET.get("next", "/"))  # PB934


def go_home(request):
    target = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    return redirect(target)


def hook(request):
    answer = requests.get(request.GET["url"], timeout=5)  # PB922
    return HttpResponse(answer.status_code)


async def state(request, order_id):
    order = await Order.objects.aget(pk=order_id)
    return HttpResponse(order.customer.username)  # PB136


async def state_at_once(request, order_id):
    order = await Order.objects.select_related("customer").aget(pk=order_id)
    return HttpResponse(order.customer.username)


async def references(request):
    found = []
    for order in Order.objects.filter(paid=False):  # PB135
        found.append(order.reference)
    return JsonResponse({"found": found})
