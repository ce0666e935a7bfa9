"""What somebody wants to be told of, where, and at which hours he is left alone: his own to say, at once, and to take back.

That something could not be paid, or soon goes dark, that his money is touched by another hand, and what he was asked: of these
nobody is left in the dark, whatever he wished on a good day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from data import clock
from data.clock import QUIET_FROM, QUIET_TO, Quiet
from data.ids import PersonId
from data.store import journal
from data.store.engine import Tx
from data.store.people import notice_wishes
from payments.authority import people


class Group(StrEnum):
    """Notices as people speak of them."""

    PAID = "paid"  # 付成了: what was paid by itself, or by somebody for me
    BILLS = "bills"  # 账单快到期了
    CHANGES = "changes"  # 自动缴费被谁动过
    TROUBLE = "trouble"  # 没付成, 快没电了, 钱要从您账上走: always told


_SWITCHABLE = {
    Group.PAID: ("auto_started", "auto_posted", "auto_for_you", "captured_for_you", "captured_started"),
    Group.BILLS: ("bill_due",),
    Group.CHANGES: ("mandate_paused_for_you", "mandate_lowered_for_you"),
}
_ALWAYS = (
    "auto_failed",
    "auto_not_made",
    "auto_asks",
    "still_low",
    "low_balance",
    "warning",
    "debit_ahead",
    "mandate_suspended",
    "mandate_unread",
    "mandate_expiring",
    "mandate_expired",
    "mandate_set_for_you",
    "mandate_stopped_for_you",
    "mandate_wakes",
    "mandate_goes_on",
    "mandates_rest",
)
# What is not here answers what somebody just did, or asks him for his yes: it goes where he is, as ever.
_GROUPS = {kind: group for group, kinds in _SWITCHABLE.items() for kind in kinds} | dict.fromkeys(
    _ALWAYS, Group.TROUBLE
)
OPTIONAL = tuple(_SWITCHABLE)

# An evening may be made longer, never so long that no hour is left to tell somebody anything in.
EARLIEST, LATEST = 18, 11
_FIRST_LIGHT = 5  # what ends before it is no morning: two o'clock is of the afternoon, or of a nap


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one person wants. `road` is a channel; None: where he talks with us."""

    unwanted: frozenset[Group] = frozenset()
    quiet: Quiet = clock.USUAL
    road: str | None = None


USUAL = Wishes()


def group_of(kind: str, body: Mapping[str, Any], person: PersonId) -> Group | None:
    """To which group a piece of news belongs; None: it answers him, or asks him. His own money in another's hand is trouble (L7)."""
    if kind == "captured_for_you" and body.get("payer") == person:
        return Group.TROUBLE
    return _GROUPS.get(kind)


def of(tx: Tx, person: PersonId) -> Wishes:
    """What he wants now; the usual, until he says otherwise."""
    row = tx.conn.execute(_NEWEST, {"who": person, "so_many": 1}).first()
    return USUAL if row is None else _wishes(row)


def keep(tx: Tx, person: PersonId, by: PersonId, wanted: Wishes, at: datetime) -> bool:
    """From now on. False where somebody else would say it for him: nobody is silenced by a relative."""
    if by != person:
        return False
    if wanted == of(tx, person):
        return True
    tx.conn.execute(
        sa.insert(notice_wishes).values(
            person=person,
            unwanted=sorted(wanted.unwanted),
            quiet_from=wanted.quiet.since,
            quiet_to=wanted.quiet.until,
            road=wanted.road,
            changed_by=by,
            changed_at=at,
        )
    )
    told = {"unwanted": sorted(wanted.unwanted), "quiet": [wanted.quiet.since, wanted.quiet.until]}
    journal.record(
        tx,
        kind="notices_changed",
        person=person,
        actor=by,
        subject=person,
        at=at,
        body=told | {"road": wanted.road},
    )
    return True


def quiet_for(tx: Tx, person: PersonId, kind: str, body: Mapping[str, Any]) -> Quiet:
    """In which hours such news leave him alone: his own for notices, everybody's for an answer or a question (L12)."""
    return clock.USUAL if group_of(kind, body, person) is None else of(tx, person).quiet


_JUST_NOW = timedelta(minutes=30)  # so long 改回来 means the notices; later it may mean anything


def take_back(tx: Tx, person: PersonId, at: datetime) -> bool:
    """As it was before the last change; said again, it is as it was after it. False when nothing was changed just now."""
    rows = tx.conn.execute(_NEWEST, {"who": person, "so_many": 2}).all()
    if not rows or rows[0].changed_at < at - _JUST_NOW:
        return False
    return keep(tx, person, person, _wishes(rows[1]) if len(rows) > 1 else USUAL, at)


def of_the_night(since: int | None, until: int | None) -> bool:
    """Whether quiet hours can hold what was said: they begin in the evening, or at night, and end in the morning."""
    begins = since is None or since >= EARLIEST or since < QUIET_TO
    return begins and (until is None or _FIRST_LIGHT <= until <= LATEST)


def left_alone(since: int | None, until: int | None, now: Quiet) -> Quiet:
    """The quiet hours somebody asked for, as far as they may be: never shorter than the usual ones (L12), never all day."""
    if since is not None and since < QUIET_TO:
        since += 24  # after midnight: later than the usual evening, not earlier
    evening = now.since if since is None else min(max(since, EARLIEST), QUIET_FROM)
    morning = now.until if until is None else max(min(until, LATEST), QUIET_TO)
    return replace(now, since=evening, until=morning)


def roads(tx: Tx, person: PersonId) -> list[str]:
    """The channels on which he can be told something, the one he wished first."""
    known = list(dict.fromkeys(a.channel for a in people.addresses_of(tx, person) if a.verified))
    wished = of(tx, person).road
    return sorted(known, key=lambda channel: channel != wished)


def road_of(tx: Tx, person: PersonId) -> str | None:
    """The channel he wished for, while he can still be reached there."""
    wished = of(tx, person).road
    return wished if wished in roads(tx, person) else None


_NEWEST = (
    sa.select(notice_wishes)
    .where(notice_wishes.c.person == sa.bindparam("who"))
    .order_by(notice_wishes.c.seq.desc())
    .limit(sa.bindparam("so_many", type_=sa.Integer))
)


def _wishes(row: Any) -> Wishes:
    return Wishes(frozenset(map(Group, row.unwanted)), Quiet(row.quiet_from, row.quiet_to), row.road)
