from django.contrib import admin

from catalog.models import Category, Product, Supplier


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "category", "price", "stock"]
    list_select_related = ["category"]


admin.site.register([Category, Supplier])
