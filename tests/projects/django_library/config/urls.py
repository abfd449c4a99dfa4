"""The URLs of the library."""

from django.urls import include, path
from rest_framework.routers import DefaultRouter

from books.views import BookViewSet, ShelfViewSet

router = DefaultRouter()
router.register("books", BookViewSet, basename="book")
router.register("shelf", ShelfViewSet, basename="shelf")

urlpatterns = [
    path("api/", include(router.urls)),
    path("loans/", include("loans.urls")),
]
