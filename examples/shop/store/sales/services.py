import logging

from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import F

from catalog.models import Product
from sales.models import Order, OrderLine, Voucher

logger = logging.getLogger(__name__)


def place_order(customer, reference, basket):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, reference=reference)
        for product, quantity in basket:
            OrderLine.objects.create(order=order, product=product, quantity=quantity)
        return order


def place_import(order, rows):
    OrderLine.objects.bulk_create(
        [OrderLine(order=order, product_id=row["product"], quantity=row["quantity"]) for row in rows]
    )


def take_from_stock(product_id, quantity):
    product = Product.objects.get(pk=product_id)
    product.stock -= quantity
    product.save()


def return_to_stock(product_id, quantity):
    Product.objects.filter(pk=product_id).update(stock=F("stock") + quantity)


def redeem(order, code):
    with transaction.atomic():
        try:
            Voucher.objects.create(code=code)
        except IntegrityError:
            logger.info("voucher %s was known", code)
        Voucher.objects.filter(code=code).update(uses=F("uses") + 1)
        order.save()


def notify(orders):
    for order in orders:
        transaction.on_commit(lambda: send_confirmation(order.pk))


def send_confirmation(pk):
    try:
        order = Order.objects.select_related("customer").get(pk=pk)
        send_mail("Your order", order.reference, None, [order.customer.email])
    except Exception as error:
        logger.error(f"confirmation failed: {error}")


def unpaid_orders(newest_first):
    orders = Order.objects.filter(paid=False)
    if newest_first:
        orders.order_by("-placed_at")
    return orders


def has_unpaid_orders(customer):
    return len(Order.objects.filter(customer=customer, paid=False)) > 0


def has_orders(customer):
    return Order.objects.filter(customer=customer).exists()


def cancel(order):
    try:
        order.lines.all().delete()
        order.delete()
    except:
        return False
    return True


def withdraw(code):
    try:
        Voucher.objects.filter(code=code).delete()
    except Exception:
        return False
    return True


def withdraw_unused():
    try:
        Voucher.objects.filter(uses=0).delete()
    except Exception:
        logger.exception("unused vouchers are still there")
        return False
    return True
