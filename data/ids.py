"""Names of the things a household bill passes through, each its own type so that none is taken for another."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import NewType

PersonId = NewType("PersonId", str)
AccountId = NewType("AccountId", str)
BillerId = NewType("BillerId", str)
InstrumentId = NewType("InstrumentId", str)
ActId = NewType("ActId", str)
PaymentId = NewType("PaymentId", str)
QuoteId = NewType("QuoteId", str)
EventId = NewType("EventId", str)
TicketId = NewType("TicketId", str)
# The number under which a rail and a biller know a payment, for ever. The gateway is keyed by it and by nothing else.
OrderNumber = NewType("OrderNumber", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: read aloud without mistakes


_dice: Random | None = None  # only while a simulated story is told; nobody's id may ever be guessed


def fresh(prefix: str, length: int = 16) -> str:
    """A new unguessable id such as pay_7k2m9x…; the prefix says what it names in every log line."""
    if _dice is not None:
        return f"{prefix}_{_dice.getrandbits(4 * length):0{length}x}"
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


@contextmanager
def thrown_by(dice: Random) -> Iterator[None]:
    """Ids by dice while a story of the simulator is told, so that the same seed gives the same rows.

    For the whole process: never where real people are served.
    """
    global _dice
    before, _dice = _dice, dice
    try:
        yield
    finally:
        _dice = before
