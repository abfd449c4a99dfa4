"""Pages of loans."""

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from loans.models import Loan
from loans.services import add_fine, close, lend


@login_required
def loans(request):
    rows = Loan.objects.filter(member=request.user)
    titles = [row.book.title for row in rows]  # PB100
    return render(request, "loans.html", {"titles": titles, "home": reverse("loans:index")})  # PB226


@login_required
def loan(request, pk):
    row = get_object_or_404(Loan.objects.select_related("book__author"), pk=pk)
    return HttpResponse(row.book.heading)


@login_required
def overdue(request):
    rows = Loan.objects.filter(returned=False)
    return render(request, "loans/overdue.html", {"loans": rows})  # PB148


@login_required
def given_back(request):
    rows = Loan.objects.filter(returned=True).select_related("book__author").prefetch_related("book__genres")
    return render(request, "loans/overdue.html", {"loans": rows})


@login_required
def give_back(request, loan_id):
    close(loan_id)
    return redirect("loans:list")


@login_required
def cards(request):
    rows = Loan.objects.select_related("member")
    return HttpResponse("".join(row.member.card_text for row in rows))  # PB102


@login_required
def borrow(request, book_id):
    row = Loan.objects.create(book_id=book_id, member=request.user)
    add_fine(row, 0)  # PB123
    return HttpResponse(str(row.pk))


@login_required
@transaction.atomic
def borrow_at_once(request, book_id):
    row = Loan.objects.create(book_id=book_id, member=request.user)
    add_fine(row, 0)
    return HttpResponse(str(row.pk))


async def extend(request, pk):
    row = lend(pk, request.user)  # PB134
    return HttpResponse(str(row.pk))
