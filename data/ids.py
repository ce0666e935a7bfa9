"""Names of the things a household bill passes through, each its own type so that none is taken for another."""

from __future__ import annotations

import secrets
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


def fresh(prefix: str, length: int = 16) -> str:
    """A new unguessable id such as pay_7k2m9x…; the prefix says what it names in every log line."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))
