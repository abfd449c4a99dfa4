"""Querysets of the catalogue."""

from __future__ import annotations

from typing import Any

from django.db import models


class ProductQuerySet(models.QuerySet):
    """Products, as the shop looks at them."""

    def active(self) -> ProductQuerySet:
        """Products that are on sale."""
        return self.filter(active=True)

    def with_category(self):
        """Products together with their categories."""
        products = self.select_related("category")
        return products.order_by("name")

    def listed(self):
        """What the front page shows."""
        return self.active().with_category().prefetch_related("tags")

    def searched(self, **lookups: Any):
        """Products by whatever lookups were asked for."""
        return search(self, lookups)


def search(products, lookups):
    """Products by lookups."""
    return products.filter(**lookups)
