"""What can go wrong."""


class OrderError(Exception):
    """An order cannot be handled."""


class PaymentError(OrderError):
    """The money was refused."""
