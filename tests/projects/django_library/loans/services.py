"""What happens to loans."""

from loans.models import Fine, Loan


def lend(book_id: int, member) -> Loan:
    """Lend a book."""
    return Loan.objects.create(book_id=book_id, member=member)


def close(loan_id: int) -> None:
    """Take a book back."""
    Loan.objects.filter(pk=loan_id).update(returned=True)


def add_fine(loan: Loan, cents: int) -> None:
    """Write down what is to be paid for a loan."""
    Fine.objects.create(loan=loan, cents=cents)


async def overdue(member_id: int) -> list[int]:
    """The keys of a member's loans."""
    return [loan.pk async for loan in Loan.objects.filter(member_id=member_id)]


async def forget(member_id: int) -> None:
    """Delete what a member has brought back."""
    Loan.objects.filter(member_id=member_id, returned=True).adelete()  # PB137
