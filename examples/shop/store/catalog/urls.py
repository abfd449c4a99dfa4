from django.urls import include, path
from rest_framework.routers import DefaultRouter

from catalog import views

router = DefaultRouter()
router.register("products", views.ProductViewSet)

urlpatterns = [
    path("", views.ProductList.as_view(), name="product-list"),
    path("new/", views.ProductCreate.as_view()),
    path("<int:pk>/edit/", views.ProductUpdate.as_view()),
    path("<int:pk>/reviews/", views.add_review),
    path("prices/", views.PriceList.as_view()),
    path("suppliers/", views.supplier_list),
    path("suppliers/import/", views.import_supplier),
    path("reviews/", views.product_reviews),
    path("search/", views.search),
    path("search/supplier/", views.search_by_supplier),
    path("statistics/", views.statistics),
    path("suppliers/names/", views.supplier_names),
    path("api/", include(router.urls)),
]
