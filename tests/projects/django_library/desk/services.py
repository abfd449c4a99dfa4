"""What is done at the desk."""

from django.db import transaction

from books.models import Book
from desk.models import Reservation, Shelf
from desk.notices import announce, announce_later
from desk.tasks import tell


@transaction.atomic
def reserve(member, book_id):
    reservation = Reservation.objects.create(member=member, book_id=book_id)
    tell.delay(reservation.pk)  # PB125
    Shelf.objects.filter(number=reservation.shelf).update(free=0)
    return reservation


@transaction.atomic
def reserve_and_tell(member, book_id):
    reservation = Reservation.objects.create(member=member, book_id=book_id)
    transaction.on_commit(lambda: tell.delay(reservation.pk))
    Shelf.objects.filter(number=reservation.shelf).update(free=0)
    return reservation


def reserve_and_announce(member, book_id):
    with transaction.atomic():
        reservation = Reservation.objects.create(member=member, book_id=book_id)
        announce(reservation)  # PB125
        Shelf.objects.filter(number=reservation.shelf).update(free=0)


def reserve_and_announce_later(member, book_id):
    with transaction.atomic():
        reservation = Reservation.objects.create(member=member, book_id=book_id)
        announce_later(reservation)
        Shelf.objects.filter(number=reservation.shelf).update(free=0)


def titles(lines):
    found = []
    for line in lines:
        found.append(Book.objects.get(pk=line["book"]).title)  # PB105
    return found


def titles_at_once(lines):
    books = Book.objects.in_bulk([line["book"] for line in lines])
    return [books[line["book"]].title for line in lines]
