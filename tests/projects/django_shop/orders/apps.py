"""The app of the orders."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders; `sales` in the database, for historical reasons."""

    name = "orders"
    label = "sales"
