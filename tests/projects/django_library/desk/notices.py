"""What members are told."""

from functools import partial

from django.db import transaction

from desk.tasks import tell


def announce(reservation):
    tell.delay(reservation.pk)


def announce_later(reservation):
    transaction.on_commit(partial(tell.delay, reservation.pk))
