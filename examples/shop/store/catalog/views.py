from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.generic import CreateView, ListView, UpdateView, View
from rest_framework import viewsets

from catalog.forms import ImportForm, ProductForm, ReviewForm
from catalog.models import Product, Review, Supplier
from catalog.serializers import ProductSerializer


class ProductViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Product.objects.select_related("category")
    serializer_class = ProductSerializer


class ProductList(ListView):
    model = Product
    paginate_by = 50

    def get_queryset(self):
        return Product.objects.select_related("category", "supplier").order_by("name")


class ProductCreate(CreateView, LoginRequiredMixin):
    model = Product
    form_class = ProductForm
    success_url = "/catalog/"


class ProductUpdate(PermissionRequiredMixin, UpdateView):
    model = Product
    form_class = ProductForm
    permission_required = "catalog.change_product"
    success_url = "/catalog/"


class PriceList(View):
    @login_required
    def get(self, request):
        rows = []
        for product in Product.objects.filter(stock__gt=0):
            rows.append(
                {"name": product.name, "category": product.category.name, "price": str(product.price)}
            )
        return JsonResponse({"rows": rows})


def supplier_list(request: HttpRequest):
    rows = [
        {"product": product.name, "supplier": product.supplier.name}
        for product in Product.objects.select_related("supplier")
    ]
    return JsonResponse({"rows": rows})


def product_reviews(request: HttpRequest):
    report = []
    for product in Product.objects.order_by("name"):
        report.append({"name": product.name, "stars": [review.stars for review in product.reviews.all()]})
    return JsonResponse({"report": report})


def add_review(request: HttpRequest, pk: int):
    product = get_object_or_404(Product, pk=pk)
    form = ReviewForm(request.POST)
    if form.is_valid():
        review = form.save(commit=False)
        review.product = product
        review.save()
    return redirect("product-list")


def import_supplier(request: HttpRequest):
    form = ImportForm(request.POST)
    if form.is_valid():
        Supplier.objects.create(name=form.cleaned_data["supplier"], country=request.POST["country"])
        return redirect("product-list")
    return render(request, "catalog/import.html", {"form": form})


def search(request: HttpRequest):
    term = request.GET.get("q", "")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, name FROM catalog_product WHERE name = '{term}'")
        rows = cursor.fetchall()
    return JsonResponse({"rows": rows})


def search_by_supplier(request: HttpRequest):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM catalog_product WHERE supplier_id = %s", [request.GET["supplier"]])
        rows = cursor.fetchall()
    return JsonResponse({"rows": rows})


async def statistics(request: HttpRequest):
    newest = []
    for review in Review.objects.order_by("-written_at")[:10]:
        newest.append(review.stars)
    return JsonResponse({"reviews": Review.objects.count(), "newest": newest})


async def supplier_names(request: HttpRequest):
    names = [supplier.name async for supplier in Supplier.objects.order_by("name")]
    return JsonResponse({"count": await Supplier.objects.acount(), "names": names})
