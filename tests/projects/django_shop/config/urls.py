"""The URLs of the shop."""

from django.urls import path

from orders import views

urlpatterns = [
    path("orders/", views.open_orders, name="orders"),
    path("orders/<int:order_id>/pay/", views.pay, name="pay"),
    path("orders/<int:order_id>/note/", views.note, name="note"),
    path("search/", views.search, name="search"),
    path("go/", views.go, name="go"),
    path("hook/", views.hook, name="hook"),
]
