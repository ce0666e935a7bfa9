"""The doctor: whether every promise about money holds in a living database, which one does not, and the rows that break it.

It reads page after page, each in a transaction of its own that sees one moment: memory stays small, nobody waits long for
it, and a payment under way is never taken for a broken one. It changes nothing and names ids only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.clock import Clock
from data.store.engine import Store, Tx
from payments import examining_money, examining_rules, examining_words
from payments.examining import PAGE, Found, Look, Room
from payments.limits import Limits

INVARIANTS: Mapping[str, str] = {
    "M-I1": "A payment was collected at most once, never for more than it is, and only on a recorded yes.",
    "M-I2": "A bill is settled once; an account has one open payment.",
    "M-I3": "What the rail says it collected is known here soon, or a person looks.",
    "M-I4": "Where a payment failed or was cancelled, no money was collected.",
    "M-I5": "Nothing was sent before it was written down with its number.",
    "M-I6": "One number stands for one payment with the same account, amount and purse for ever.",
    "M-I7": "A payment's state and its times tell the same story.",
    "M-I8": "The book is whole, balances, and says what the payments say; the statement differs in nothing unexplained.",
    "M-I9": "No more was given back than was collected.",
    "M-I10": "What was quoted, read back, confirmed and collected is one amount.",
    "M-I11": "Nobody's money was spent beyond the cap that was agreed.",
    "M-I12": "Nothing was taken by itself without an agreement in force, announced where it had to be.",
    "M-I13": "Each settled payment was told once to who paid, and no other was told as settled.",
    "M-I14": "No whole account or card number stands in any record or text.",
    "M-I15": "Every payment that is not over is asked about again soon, or a person looks.",
    "M-I16": "Only billers of the catalogue were paid.",
    "M-I17": "Every callback was judged as it would be judged again; repeating them all would change nothing.",
}

_MOST_NAMED = 20


@dataclass(slots=True)
class Finding:
    """An invariant that does not hold: how many rows break it, and the first of them."""

    invariant: str
    count: int = 0
    rows: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return INVARIANTS[self.invariant]

    def add(self, row: str) -> None:
        """One more row; the same one counts once as long as it is still named."""
        if row in self.rows:
            return
        self.count += 1
        if len(self.rows) < _MOST_NAMED:
            self.rows.append(row)


@dataclass(frozen=True, slots=True)
class Report:
    """How the house stands. `examined`: rows' pages read."""

    findings: tuple[Finding, ...]
    pages: int

    @property
    def well(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """For machines: every invariant with its sentence, whether it holds, and the rows that break it."""
        broken = {f.invariant: f for f in self.findings}
        rows = []
        for number, sentence in INVARIANTS.items():
            found = broken.get(number)
            rows.append(
                {
                    "invariant": number,
                    "says": sentence,
                    "holds": found is None,
                    "count": found.count if found else 0,
                    "rows": list(found.rows) if found else [],
                }
            )
        return {"well": self.well, "pages": self.pages, "invariants": rows}


class Doctor:
    """Examines one store. `more` are looks at rooms that are not the till's own (the texts of talks)."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalogue: Catalogue,
        limits: Limits,
        more: Iterable[Look] = (),
        page: int = PAGE,
    ) -> None:
        self._page_size = page
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._limits = limits
        self._looks: tuple[Look, ...] = (
            *examining_money.LOOKS,
            *examining_rules.LOOKS,
            *examining_words.LOOKS,
            *more,
        )

    def examine(self) -> Report:
        """Every look at every page, and what they found, in the order of the invariants."""
        findings: dict[str, Finding] = {}
        pages = 0
        for look in self._looks:
            for found in self._pages(look):
                pages += 1
                for invariant, row in found:
                    findings.setdefault(invariant, Finding(invariant)).add(row)
        order = list(INVARIANTS)
        return Report(tuple(sorted(findings.values(), key=lambda f: order.index(f.invariant))), pages)

    def _pages(self, look: Look) -> Iterator[list[Found]]:
        after: Any = ""
        while after is not None:
            found, after = self._store.run_now(partial(self._page, look, after))
            yield found

    def _page(self, look: Look, after: Any, tx: Tx) -> tuple[list[Found], Any]:
        if tx.conn.dialect.name == "postgresql":
            # All questions of a page see the same moment, and nothing can be changed by mistake.
            tx.conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        return look(tx, Room(self._clock.now(), self._limits, self._catalogue, self._page_size), after)
