"""URLs of loans."""

from django.urls import path

from loans import views

app_name = "loans"
urlpatterns = [
    path("", views.loans, name="list"),
    path("<int:pk>/", views.loan, name="detail"),
    path("<int:pk>/return/", views.give_back, name="return"),  # PB225
    path("cards/", views.cards, name="cards"),
    path("<int:book_id>/borrow/", views.borrow, name="borrow"),
    path("<int:book_id>/borrow-at-once/", views.borrow_at_once, name="borrow-at-once"),
    path("<int:pk>/extend/", views.extend, name="extend"),
    path("cards/", views.loans, name="my-cards"),  # PB224
]
