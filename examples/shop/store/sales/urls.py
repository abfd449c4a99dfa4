from django.urls import path

from sales import views

urlpatterns = [
    path("invoices/", views.Invoices.as_view()),
    path("unpaid/", views.Unpaid.as_view()),
]
