"""How one of a person's own purses is called: the wallet, or, of several, the second one with the day it was saved."""

from __future__ import annotations

from data.ids import InstrumentId, PersonId
from data.store.engine import Tx
from dialogues import clauses
from payments.authority import access


def name_of(tx: Tx, person: PersonId, purse: InstrumentId, words: clauses.Words) -> str:
    """The purse as it is said to its owner; never its number, which we do not have."""
    own = [instrument.id for instrument in access.instruments_of(tx, person)]
    several = len(own) > 1 and purse in own
    return words("utter_purse_name", {"purse_nth": own.index(purse) + 1 if several else None})
