"""What every look of the doctor is given, and how he goes from page to page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from data.catalogue import Catalogue
from data.store.engine import Tx
from payments.limits import Limits

PAGE = 500  # rows of one transaction: some ten milliseconds during which SQLite lets nobody write
_GIVEN_TIME = timedelta(minutes=10)  # a due payment nobody has taken up for so long is taken up by nobody

Found = tuple[str, str]  # an invariant, and the id of a row that breaks it


@dataclass(frozen=True, slots=True)
class Room:
    """What a look at one page needs."""

    at: datetime
    limits: Limits
    catalogue: Catalogue
    page: int = PAGE

    @property
    def overdue(self) -> datetime:
        """Whoever is due since then, and leased by nobody, waits for nobody."""
        return self.at - _GIVEN_TIME

    @property
    def unheard(self) -> datetime:
        """What the rail told before then should long be known here."""
        return self.at - self.limits.unknown


# One page after a key: what it shows, and the key to go on from (None: that was the last one).
Look = Callable[[Tx, Room, Any], tuple[list[Found], Any]]


def next_key(rows: list[Any], key: Callable[[Any], Any], most: int) -> Any:
    """Where the following page begins; None when this one was not full."""
    return key(rows[-1]) if len(rows) == most else None
