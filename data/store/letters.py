"""The letter boxes: what came in is taken once, what goes out waits until it is sent, news wait until they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId, TicketId, fresh
from data.store.engine import Tx
from data.store.post import events, inbox, outbox, tickets
from data.store.schema import Instant

# --- what came in -----------------------------------------------------------------------------------------------

# Built once: building a statement costs more than running it, and this runs in every turn.
_KEEP_REPLY = (
    inbox.update()
    .where(inbox.c.channel == sa.bindparam("on"), inbox.c.event_id == sa.bindparam("of_event"))
    .values(reply=sa.bindparam("answered"))
)


def first_seen(tx: Tx, channel: str, event_id: str, person: PersonId, at: datetime) -> bool:
    """Claims an inbound event for this transaction; False when it came before."""
    return tx.put_new(inbox, channel=channel, event_id=event_id, person=person, received_at=at)


def stored_reply(tx: Tx, channel: str, event_id: str) -> str | None:
    """What was answered to an event that came before, as JSON; None when nothing was."""
    sealed = tx.conn.scalar(sa.select(inbox.c.reply).where(_came(channel, event_id)))
    return None if sealed is None else tx.seal.open("inbox.reply", f"{channel}:{event_id}", sealed)


def store_reply(tx: Tx, channel: str, event_id: str, reply_json: str) -> None:
    """Keeps the answer for the next delivery of the same event."""
    sealed = tx.seal.seal("inbox.reply", f"{channel}:{event_id}", reply_json)
    tx.conn.execute(_KEEP_REPLY, {"on": channel, "of_event": event_id, "answered": sealed})


def _came(channel: str, event_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(inbox.c.channel == channel, inbox.c.event_id == event_id)


# --- what goes out ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """Something written to a person on one channel. `body` is JSON, `cause` the event it answers or the news it tells."""

    id: str
    seq: int
    person: PersonId
    channel: str
    body: str = field(repr=False)
    cause: str
    state: str  # queued, leased, sent, failed, dropped
    created_at: datetime
    not_before: datetime | None
    tries: int


_NOW = sa.bindparam("now", type_=Instant)
_EARLIER = outbox.alias()
_HELD = sa.exists().where(
    _EARLIER.c.person == outbox.c.person,
    _EARLIER.c.channel == outbox.c.channel,
    _EARLIER.c.seq < outbox.c.seq,
    _EARLIER.c.state == "leased",
    _EARLIER.c.lease_until > _NOW,
)
_MAY_GO = sa.and_(
    # Word for word the condition of ix_outbox_waiting: otherwise neither database uses that index.
    sa.text("outbox.state IN ('queued','leased')"),
    sa.or_(outbox.c.state == "queued", outbox.c.lease_until <= _NOW),
    sa.or_(outbox.c.not_before.is_(None), outbox.c.not_before <= _NOW),
)


def put_letter(
    tx: Tx,
    *,
    person: PersonId,
    channel: str,
    body: str,
    cause: str,
    at: datetime,
    dedupe: str | None = None,
    not_before: datetime | None = None,
) -> str | None:
    """Writes a letter and gives its id; None when one with this `dedupe` was written before."""
    # A person's letters are numbered in the order in which they become visible, so a reader who asks
    # for those after number n misses none.
    tx.alone(f"outbox:{person}")
    letter_id = fresh("let")
    new = tx.put_new(
        outbox,
        id=letter_id,
        person=person,
        channel=channel,
        body=tx.seal.seal("outbox.body", letter_id, body),
        cause=cause,
        state="queued",
        dedupe=dedupe,
        not_before=not_before,
        created_at=at,
        tries=0,
    )
    return letter_id if new else None


def lease_letters(
    tx: Tx, *, channel: str | None, person: PersonId | None, at: datetime, lease: timedelta, limit: int = 50
) -> list[Letter]:
    """Takes letters that may be sent now, oldest first, for the time of `lease`; nobody else gets them meanwhile.

    A letter waits while an earlier one to the same person on the same channel is being sent by somebody else.
    """
    tx.alone("outbox")
    query = sa.select(outbox).where(_MAY_GO, ~_HELD).order_by(outbox.c.seq).limit(limit)
    if channel is not None:
        query = query.where(outbox.c.channel == channel)
    if person is not None:
        query = query.where(outbox.c.person == person)
    rows = tx.conn.execute(query, {"now": at}).all()
    tx.conn.execute(
        outbox.update()
        .where(outbox.c.id.in_([row.id for row in rows]))
        .values(state="leased", lease_until=at + lease, tries=outbox.c.tries + 1)
    )
    return [_letter(tx, row, state="leased", tries=row.tries + 1) for row in rows]


def mark_sent(tx: Tx, letter_id: str, at: datetime) -> bool:
    """It was sent. False when it was not waiting any more."""
    return _close(tx, letter_id, state="sent", sent_at=at)


def mark_failed(tx: Tx, letter_id: str, at: datetime, retry_at: datetime | None) -> bool:
    """It could not be sent: to be tried again at `retry_at`, or given up for good. False when it was not waiting."""
    if retry_at is None:
        return _close(tx, letter_id, state="failed", sent_at=None)
    return _close(tx, letter_id, state="queued", not_before=max(at, retry_at))


def drop(tx: Tx, letter_id: str) -> bool:
    """Nobody will hear it (the call is over). False when it was not waiting any more."""
    return _close(tx, letter_id, state="dropped")


def letters_to(tx: Tx, person: PersonId, since_seq: int = 0) -> list[Letter]:
    """Everything written to a person after a number, in order, in any state."""
    mine = sa.select(outbox).where(outbox.c.person == person, outbox.c.seq > since_seq)
    return [_letter(tx, row) for row in tx.conn.execute(mine.order_by(outbox.c.seq))]


def newest(tx: Tx, person: PersonId) -> int:
    """The number of the newest letter to a person, 0 before the first."""
    return tx.conn.scalar(sa.select(sa.func.max(outbox.c.seq)).where(outbox.c.person == person)) or 0


def _close(tx: Tx, letter_id: str, **values: Any) -> bool:
    waiting = sa.and_(outbox.c.id == letter_id, outbox.c.state.in_(["queued", "leased"]))
    return tx.conn.execute(outbox.update().where(waiting).values(lease_until=None, **values)).rowcount == 1


def _letter(tx: Tx, row: Any, **now: Any) -> Letter:
    facts = {
        name: getattr(row, name)
        for name in ("id", "seq", "channel", "cause", "state", "created_at", "not_before", "tries")
    }
    body = tx.seal.open("outbox.body", row.id, row.body)
    return Letter(**{**facts, **now}, person=PersonId(row.person), body=body)


# --- news -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened and that one person is to be told (settled 29)."""

    id: str
    person: PersonId
    kind: str
    body: dict[str, Any]
    created_at: datetime


def put_news(
    tx: Tx,
    *,
    id: str,
    person: PersonId,
    kind: str,
    body: dict[str, Any],
    at: datetime,
    not_before: datetime | None = None,
) -> bool:
    """Writes a piece of news once for ever; False when this id was written before."""
    return tx.put_new(
        events, id=id, person=person, kind=kind, body=body, created_at=at, not_before=not_before
    )


def news_due(tx: Tx, at: datetime, person: PersonId | None = None, limit: int = 50) -> list[News]:
    """News not served yet whose time has come, oldest first."""
    due = sa.or_(events.c.not_before.is_(None), events.c.not_before <= at)
    query = sa.select(events).where(events.c.served_at.is_(None), due)
    if person is not None:
        query = query.where(events.c.person == person)
    rows = tx.conn.execute(query.order_by(events.c.created_at, events.c.id).limit(limit))
    return [News(row.id, PersonId(row.person), row.kind, row.body, row.created_at) for row in rows]


def any_news_served(tx: Tx, news_ids: Sequence[str]) -> bool:
    """Whether one of these pieces of news was told already."""
    told = sa.exists().where(events.c.id.in_(news_ids), events.c.served_at.is_not(None))
    return bool(tx.conn.scalar(sa.select(told)))


def mark_served(tx: Tx, news_id: str, at: datetime) -> bool:
    """Claims a piece of news; False when somebody served it already."""
    unserved = sa.and_(events.c.id == news_id, events.c.served_at.is_(None))
    return tx.conn.execute(events.update().where(unserved).values(served_at=at)).rowcount == 1


# --- tickets for those who help ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody needs a human. `summary` says in one sentence what is known, so that nobody has to tell it twice."""

    id: TicketId
    kind: str
    person: PersonId
    reason: str
    about: str | None
    summary: str = field(repr=False)
    state: str  # waiting, taken, closed
    owner: PersonId | None
    created_at: datetime
    taken_at: datetime | None
    closed_at: datetime | None


def open_ticket(
    tx: Tx,
    *,
    kind: str,
    person: PersonId,
    reason: str,
    summary: str,
    at: datetime,
    single: bool = True,
    about: str | None = None,
) -> TicketId:
    """A ticket of this kind for this person: the one that is open already (unless not `single`), or a new one.

    `about` names a payment or account: each has its own ticket, so that no story hides behind another's; what happens to it
    later for another reason is added to what its ticket says.
    """
    tx.alone(f"ticket:{person}")
    same = sa.and_(tickets.c.person == person, tickets.c.kind == kind, tickets.c.state != "closed")
    if about is not None:
        same = sa.and_(same, tickets.c.about == about)
    known = tx.conn.execute(sa.select(tickets).where(same)).first() if single else None
    if known is not None:
        if about is not None and known.reason != reason:
            _add_to(tx, _ticket(tx, known), reason, summary)
        return TicketId(known.id)
    ticket_id = TicketId(fresh("tic"))
    tx.conn.execute(
        tickets.insert().values(
            id=ticket_id,
            kind=kind,
            person=person,
            reason=reason,
            about=about,
            summary=tx.seal.seal("tickets.summary", ticket_id, summary),
            state="waiting",
            created_at=at,
        )
    )
    return ticket_id


def _add_to(tx: Tx, ticket: Ticket, reason: str, summary: str) -> None:
    both = tx.seal.seal("tickets.summary", ticket.id, f"{ticket.summary}\n{summary}")
    mine = tickets.c.id == ticket.id
    tx.conn.execute(tickets.update().where(mine).values(reason=reason, summary=both))


def tickets_waiting(tx: Tx) -> list[Ticket]:
    """The queue: tickets nobody has taken, longest waiting first."""
    waiting = sa.select(tickets).where(tickets.c.state == "waiting")
    return [_ticket(tx, row) for row in tx.conn.execute(waiting.order_by(tickets.c.created_at, tickets.c.id))]


def tickets_open(tx: Tx) -> list[Ticket]:
    """Tickets waiting or taken, longest waiting first."""
    unfinished = sa.select(tickets).where(tickets.c.state != "closed")
    return [
        _ticket(tx, row) for row in tx.conn.execute(unfinished.order_by(tickets.c.created_at, tickets.c.id))
    ]


def take_ticket(tx: Tx, id: TicketId, owner: PersonId, at: datetime) -> bool:
    """`owner` looks after it from now on; False when somebody else already does."""
    waiting = sa.and_(tickets.c.id == id, tickets.c.state == "waiting")
    taken = tickets.update().where(waiting).values(state="taken", owner=owner, taken_at=at)
    return tx.conn.execute(taken).rowcount == 1


def reassign_ticket(tx: Tx, id: TicketId, owner: PersonId, at: datetime) -> bool:
    """Gives a taken ticket to another owner."""
    held = sa.and_(tickets.c.id == id, tickets.c.state == "taken")
    return tx.conn.execute(tickets.update().where(held).values(owner=owner, taken_at=at)).rowcount == 1


def hold_news(tx: Tx, news_id: str, until: datetime) -> None:
    """Puts a piece of news off: to the morning, or to another try."""
    unserved = sa.and_(events.c.id == news_id, events.c.served_at.is_(None))
    tx.conn.execute(events.update().where(unserved).values(not_before=until))


def close_ticket(tx: Tx, id: TicketId, at: datetime) -> bool:
    """Done; False when it was closed before."""
    open_one = sa.and_(tickets.c.id == id, tickets.c.state != "closed")
    return (
        tx.conn.execute(tickets.update().where(open_one).values(state="closed", closed_at=at)).rowcount == 1
    )


def ticket(tx: Tx, id: TicketId) -> Ticket | None:
    """One ticket in any state."""
    row = tx.conn.execute(sa.select(tickets).where(tickets.c.id == id)).first()
    return _ticket(tx, row) if row else None


def open_ticket_of(tx: Tx, person: PersonId) -> Ticket | None:
    """The oldest open ticket of a person; None when nobody needs to look after him."""
    mine = sa.select(tickets).where(tickets.c.person == person, tickets.c.state != "closed")
    row = tx.conn.execute(mine.order_by(tickets.c.created_at, tickets.c.id).limit(1)).first()
    return _ticket(tx, row) if row else None


def _ticket(tx: Tx, row: Any) -> Ticket:
    return Ticket(
        id=TicketId(row.id),
        kind=row.kind,
        person=PersonId(row.person),
        reason=row.reason,
        about=row.about,
        summary=tx.seal.open("tickets.summary", row.id, row.summary),
        state=row.state,
        owner=PersonId(row.owner) if row.owner else None,
        created_at=row.created_at,
        taken_at=row.taken_at,
        closed_at=row.closed_at,
    )
