"""What can go wrong with tickets, whoever asks."""


class TicketMissing(Exception):
    """There is no such ticket."""


class TicketClosed(Exception):
    """Nothing can be changed any more."""
