"""Queries that Django's ORM cannot express."""

from django.db import connection


def ordered(column: str) -> list[tuple]:
    """All orders, in the order of a column."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM sales_order ORDER BY {column}")  # PB920
        return cursor.fetchall()


def ordered_by_choice(column: str) -> list[tuple]:
    """All orders, in one of two orders."""
    chosen = {"reference": "reference", "newest": "id DESC"}.get(column, "id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM sales_order ORDER BY {chosen}")
        return cursor.fetchall()
