from unittest import mock

from django.test import TestCase

from catalog.models import Category, Product, Supplier
from sales import services


class StockTests(TestCase):
    def setUp(self):
        category = Category.objects.create(name="Tea")
        supplier = Supplier.objects.create(name="Leaf & Co", country="LK")
        self.product = Product.objects.create(
            name="Assam", price="4.50", stock=5, category=category, supplier=supplier
        )

    def test_return_to_stock(self):
        services.return_to_stock(self.product.pk, 2)
        self.product.refresh_from_db()
        self.assertEqual(self.product.stock, 7)

    def test_orders_are_confirmed_one_by_one(self):
        with mock.patch("sales.services.send_confirmation") as send:
            with self.captureOnCommitCallbacks(execute=True):
                services.notify([mock.Mock(pk=1)])
        assert send.called_once_with(1)
