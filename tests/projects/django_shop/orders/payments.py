"""Payments of orders."""

from django.db import IntegrityError, transaction

from accounts.models import Profile
from orders.models import Invoice, Order


def pay(order: Order, number: str) -> None:
    """Write the bill of an order that was paid."""
    with transaction.atomic():
        try:
            Invoice.objects.create(order=order, number=number)  # PB124
        except IntegrityError:
            pass
        Order.objects.filter(pk=order.pk).update(paid=True)


def pay_once(order: Order, number: str) -> None:
    """Write the bill of an order that was paid, unless there is one."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                Invoice.objects.create(order=order, number=number)
        except IntegrityError:
            pass
        Order.objects.filter(pk=order.pk).update(paid=True)


def announce(orders: list[Order], send) -> None:
    """Send a mail for every order, once all are stored."""
    for order in orders:
        transaction.on_commit(lambda: send(order.reference))  # PB126
        transaction.on_commit(lambda order=order: send(order.reference))


def visited(profile: Profile) -> None:
    """Count a visit."""
    found = Profile.objects.get(pk=profile.pk)
    found.visits = found.visits + 1  # PB120
    found.save()
