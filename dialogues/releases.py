"""In which flows a talk goes on: those it began with while it is under way, today's as soon as it is at rest.

Every release with a talk under way lies in the store beside the talk, so that whichever process takes the next word can go on
in it, whether that process is older, newer or one of several. Actions are Python and are never kept: flows that rely on an
action which is not there any more, or promises something else, cannot go on, and neither can flows nobody kept. Then the talk
is gone on with in today's flows (dialogues.renewal).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from data.store.engine import Tx
from data.store.talks import flow_releases
from dialogues import content, renewal
from dialogues.actions.ports import Action
from dialogues.model import Conversation, Release
from dialogues.wire import NotOurs

if TYPE_CHECKING:
    from dialogues.turn import House

log = structlog.get_logger("bangjiao.releases")

_MOST = 8  # releases of others known by heart; one takes some 4 MB and, to open, a twentieth of a second
_SEEN_EVERY = timedelta(hours=1)  # far below the days after which a release nobody is in is forgotten

_OF = sa.select(flow_releases.c.content).where(flow_releases.c.id == sa.bindparam("which"))
_SEEN = (
    flow_releases.update()
    .where(flow_releases.c.id == sa.bindparam("which"))
    .values(seen_at=sa.bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a talk stands: the house with the flows it is heard in. `gone`: it cannot be gone on with in them."""

    house: House
    talk: Conversation
    gone: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    release: Release
    playable: bool


@dataclass
class Releases:
    """The releases of other programs that one process knows, and what it has written down of its own."""

    most: int = _MOST
    _known: OrderedDict[tuple[str, str], _Known] = field(default_factory=OrderedDict)
    _written: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, tx: Tx, house: House, talk: Conversation) -> Place:
        """Where this talk goes on. A talk at rest has nothing to lose and is in today's flows."""
        if talk.release == house.release.id:
            return Place(house, talk)
        if renewal.at_rest(talk):
            return Place(house, renewal.moved(talk, house.release))
        known = self._find(tx, house, talk.release)
        if known is None:
            log.warning("a talk is under way in flows nobody kept", release=talk.release)
            return Place(house, talk, gone=True)
        return Place(replace(house, release=known.release), talk, gone=not known.playable)

    def keep(self, tx: Tx, release: Release, talk: Conversation, at: datetime) -> str:
        """Puts the flows of a talk under way into the store, in the transaction that writes the talk.

        Gives the name of what was written, "" when there was nothing to do; `written` is to be told after the commit.
        """
        if renewal.at_rest(talk) or talk.release != release.id or not release.packed:
            return ""
        last = self._written.get(release.id)
        if last is not None and at - last < _SEEN_EVERY:
            return ""
        row = {"id": release.id, "content": release.packed, "first_at": at, "seen_at": at}
        if tx.put_new(flow_releases, **row):
            return release.id
        seen = tx.conn.execute(_SEEN, {"which": release.id, "now": at})
        if seen.rowcount == 0:  # thrown away in between
            tx.put_new(flow_releases, **row)
        return release.id

    def written(self, name: str, at: datetime) -> None:
        """The transaction with it is committed: for an hour there is nothing to write."""
        if name:
            self._written[name] = at

    def _find(self, tx: Tx, house: House, name: str) -> _Known | None:
        key = (house.release.id, name)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        row = tx.conn.execute(_OF, {"which": name}).one_or_none()
        known = _opened(house, name, row.content) if row is not None else None
        if known is not None:
            with self._lock:
                self._known[key] = known
                while len(self._known) > self.most:
                    self._known.popitem(last=False)
        return known


def _opened(house: House, name: str, packed: bytes) -> _Known | None:
    try:
        kept = content.opened(name, packed)
    except NotOurs as problem:
        log.warning("a kept release cannot be read", release=name, why=str(problem))
        return None
    broken = _broken_promises(kept, house.actions)
    if broken:
        log.warning("a kept release relies on actions that changed", release=name, actions=broken)
    return _Known(_completed(kept, house), not broken)


def _broken_promises(kept: Release, actions: Mapping[str, Action]) -> list[str]:
    """Actions the flows rely on that are not there any more, or promise something else."""
    return [
        name
        for name, spec in kept.actions.items()
        if name not in actions or content.promise(actions[name].spec) != spec
    ]


def _completed(kept: Release, house: House) -> Release:
    """With today's Python, and with today's words where it has none of its own: what a newer engine says by itself."""
    sentences = {
        locale: {**ours, **kept.responses.get(locale, {})} for locale, ours in house.release.responses.items()
    }
    specs = {name: action.spec for name, action in house.actions.items()}
    return replace(kept, responses={**kept.responses, **sentences}, actions=specs)


__all__ = ["Place", "Releases"]
