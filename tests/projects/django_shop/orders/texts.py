"""Orders as texts, for mails and pages."""

from orders.models import Line, Order


def address(order: Order) -> str:
    """Who an order is sent to."""
    return f"{order.customer.username}, {order.customer.company.name}"


def described(lines) -> list[str]:
    """A text for each of some lines."""
    return [f"{line.quantity} x {line.product.name}" for line in lines]


def all_lines() -> list[str]:
    """A text for every line there is."""
    return [f"{line.quantity} x {line.product.name}" for line in Line.objects.all()]  # PB100


def all_lines_at_once() -> list[str]:
    """A text for every line there is, in one query."""
    return [f"{line.quantity} x {line.product.name}" for line in Line.objects.select_related("product")]


def addresses() -> list[str]:
    """Where the orders that are not paid go to; the manager loads the customers, not their companies."""
    return [address(order) for order in Order.with_customers.open()]  # PB102


def customers() -> list[str]:
    """Who has not paid yet; the manager loads the customers."""
    return [order.customer.username for order in Order.with_customers.open()]


def numbers() -> dict[str, int]:
    """The number of lines of every order."""
    found = {}
    for order in Order.objects.filter(paid=False):
        found[order.reference] = sum(line.quantity for line in order.lines.all())  # PB101
    return found


def numbers_at_once() -> dict[str, int]:
    """The number of lines of every order, in two queries."""
    found = {}
    for order in Order.objects.filter(paid=False).prefetch_related("lines"):
        found[order.reference] = sum(line.quantity for line in order.lines.all())
    return found
