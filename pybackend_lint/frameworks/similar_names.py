"""How much two names differ."""

from __future__ import annotations


def edit_distance(one: str, other: str) -> int:
    """The number of letters to add, remove or replace to turn one text into another."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        last, row[0] = row[0], index
        for position, counterpart in enumerate(other, 1):
            cheapest = min(row[position] + 1, row[position - 1] + 1, last + (letter != counterpart))
            last, row[position] = row[position], cheapest
    return row[-1]
