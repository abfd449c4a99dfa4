"""What is done later."""

from celery import shared_task

from desk.models import Reservation


@shared_task
def tell(reservation_id):
    print(Reservation.objects.get(pk=reservation_id))
