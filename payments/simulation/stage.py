"""A store in memory that is put back to where a story begins, in no time: tables and prepared statements stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from data.store.engine import Sealer, Store, Tx

T = TypeVar("T")

_STORY, _STEP = "story", "step"


class Stage(Store):
    """A store whose transactions are savepoints inside one that never ends; `again` takes back all of them."""

    transactions = 0  # made since the story began

    @classmethod
    def empty(cls, sealer: Sealer) -> Stage:
        """A stage with its tables and nothing in them."""
        made = cls.in_memory(sealer)
        assert isinstance(made, cls)
        return made

    def begin_here(self) -> None:
        """What is in the store now is where every story begins."""
        self._outer = self._connection().begin()
        self._raw().execute(f"SAVEPOINT {_STORY}")

    def again(self) -> None:
        """Back to the beginning."""
        self._raw().execute(f"ROLLBACK TO {_STORY}")
        self.transactions = 0

    @property
    def written(self) -> int:
        """A number that grows with every row that is written."""
        return self._raw().total_changes

    def _once(self, conn: sa.Connection, fn: Callable[[Tx], T]) -> T:
        if not hasattr(self, "_outer"):
            return super()._once(conn, fn)
        raw = self._raw()
        raw.execute(f"SAVEPOINT {_STEP}")
        try:
            done = fn(Tx(conn, self._sealer))
        except BaseException:
            raw.execute(f"ROLLBACK TO {_STEP}")
            raise
        finally:
            raw.execute(f"RELEASE {_STEP}")
        self.transactions += 1
        return done
