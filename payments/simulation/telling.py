"""A story in plain sentences, each with the hour at which it happens in Shanghai."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from data.clock import shanghai


@dataclass
class Teller:
    """Collects sentences; the day is said when it changes."""

    sentences: list[str] = field(default_factory=list)
    _last: datetime | None = None

    def tell(self, at: datetime, what: str) -> None:
        """One sentence of an instant."""
        local = shanghai(at)
        if self._last is None or local.date() != self._last.date():
            self.sentences.append(f"{local:%d %B %Y}")
        self._last = local
        self.sentences.append(f"  {local:%H:%M:%S}  {what}")
