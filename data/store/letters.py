"""The letter boxes: what came in is taken once, what goes out waits until it is sent, news wait until they are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId, TicketId, fresh
from data.store import delivery
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
    state: str  # one of delivery.STATES
    created_at: datetime
    not_before: datetime | None
    tries: int
    doubts: int  # times its carrier died with it in hand: it may have gone out
    lease_until: datetime | None = None  # until then it is in somebody's hand, and in nobody else's


_NOW = sa.bindparam("now", type_=Instant)
_EARLIER = outbox.alias()
_HELD = sa.exists().where(
    _EARLIER.c.person == outbox.c.person,
    _EARLIER.c.channel == outbox.c.channel,
    _EARLIER.c.seq < outbox.c.seq,
    _EARLIER.c.state == "leased",
    _EARLIER.c.lease_until > _NOW,
)
# Word for word the condition of ix_outbox_waiting: otherwise neither database uses that index.
_WAITS = sa.text("outbox.state IN ('queued','leased')")
_MAY_GO = sa.and_(
    _WAITS,
    sa.or_(outbox.c.state == "queued", outbox.c.lease_until <= _NOW),
    sa.or_(outbox.c.not_before.is_(None), outbox.c.not_before <= _NOW),
)


def on_no_road(tx: Tx, roads: Collection[str], before: datetime, limit: int = 50) -> list[Letter]:
    """Letters that might have gone `before` then and wait for a channel that is none of these, oldest first."""
    due = sa.func.coalesce(outbox.c.not_before, outbox.c.created_at, type_=outbox.c.created_at.type)
    stranded = sa.and_(
        _WAITS, outbox.c.state == "queued", outbox.c.channel.not_in(list(roads)), due <= before
    )
    rows = tx.conn.execute(sa.select(outbox).where(stranded).order_by(outbox.c.seq).limit(limit))
    return [_letter(tx, row) for row in rows]


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
        doubts=0,
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
    doubtful = [row.id for row in rows if row.state == "leased"]
    for ids, more in (([row.id for row in rows if row.state == "queued"], 0), (doubtful, 1)):
        leased = {"state": "leased", "lease_until": at + lease, "doubts": outbox.c.doubts + more}
        if ids:
            tx.conn.execute(
                outbox.update().where(outbox.c.id.in_(ids)).values(**leased, tries=outbox.c.tries + 1)
            )
    return [
        _letter(
            tx,
            row,
            state="leased",
            tries=row.tries + 1,
            doubts=row.doubts + (row.state == "leased"),
            lease_until=at + lease,
        )
        for row in rows
    ]


def mark_sent(tx: Tx, letter_id: str, at: datetime, *, shown: bool = False) -> bool:
    """It was sent, and `shown` at once where the channel says so. False when it was not waiting any more."""
    told_at = at if shown else None
    state = "delivered" if shown else "sent"
    return _move(tx, [letter_id], state=state, sent_at=at, told_at=told_at, lease_until=None) == 1


def mark_told(tx: Tx, letter_ids: Collection[str], state: str, at: datetime) -> int:
    """The channel says that they were shown (`delivered`) or `read`; gives of how many that was news."""
    return _move(tx, letter_ids, state=state, told_at=at)


def mark_later(
    tx: Tx, letter: Letter, again_at: datetime, *, doubtful: bool = False, untried: bool = False
) -> bool:
    """It could not be sent now and is tried again then. False when somebody else has it in hand by now, or it is over.

    `doubtful`: it may have gone out all the same. `untried`: it was not handed over at all, so this was no try.
    """
    counts = {"tries": outbox.c.tries - int(untried), "doubts": outbox.c.doubts + int(doubtful)}
    return _move_own(tx, letter, state="queued", not_before=again_at, **counts)


def end(tx: Tx, letter: Letter, state: str, at: datetime) -> bool:
    """It will not be sent: `failed`, `given_up` or `superseded`. False when somebody else has it in hand by now, or it is over."""
    return _move_own(tx, letter, state=state, ended_at=at)


def drop(tx: Tx, letter_id: str) -> bool:
    """Nobody will hear it (the call is over). False when it was not waiting any more."""
    return _move(tx, [letter_id], state="dropped", lease_until=None) == 1


def letters_to(tx: Tx, person: PersonId, since_seq: int = 0) -> list[Letter]:
    """Everything written to a person after a number, in order, in any state."""
    mine = sa.select(outbox).where(outbox.c.person == person, outbox.c.seq > since_seq)
    return [_letter(tx, row) for row in tx.conn.execute(mine.order_by(outbox.c.seq))]


def in_state(tx: Tx, person: PersonId, channel: str, state: str, before: datetime | None = None) -> list[str]:
    """The letters of a person on one channel in this state, of those written `before` then; none of them is opened."""
    mine = sa.select(outbox.c.id).where(
        outbox.c.person == person, outbox.c.channel == channel, outbox.c.state == state
    )
    return list(tx.conn.scalars(mine if before is None else mine.where(outbox.c.created_at < before)))


def newest(tx: Tx, person: PersonId) -> int:
    """The number of the newest letter to a person, 0 before the first."""
    return tx.conn.scalar(sa.select(sa.func.max(outbox.c.seq)).where(outbox.c.person == person)) or 0


def _move(tx: Tx, letter_ids: Collection[str], *, state: str, **values: Any) -> int:
    """Only along the table of a letter's life; gives how many went."""
    may = sa.and_(outbox.c.id.in_(letter_ids), outbox.c.state.in_(delivery.before(state)))
    return tx.conn.execute(outbox.update().where(may).values(state=state, **values)).rowcount


def _move_own(tx: Tx, letter: Letter, **values: Any) -> bool:
    """Of a letter as it was found or leased: whose lease ran out has no more say in what another carries meanwhile."""
    same = sa.and_(
        outbox.c.id == letter.id,
        outbox.c.state == letter.state,
        outbox.c.lease_until.is_not_distinct_from(letter.lease_until),
        outbox.c.state.in_(delivery.before(values["state"])),
    )
    return tx.conn.execute(outbox.update().where(same).values(lease_until=None, **values)).rowcount == 1


_PLAIN = (
    "id",
    "seq",
    "channel",
    "cause",
    "state",
    "created_at",
    "not_before",
    "tries",
    "doubts",
    "lease_until",
)


def _letter(tx: Tx, row: Any, **now: Any) -> Letter:
    facts = {name: getattr(row, name) for name in _PLAIN}
    body = tx.seal.open("outbox.body", row.id, row.body)
    return Letter(**{**facts, **now}, person=PersonId(row.person), body=body)


# --- news -------------------------------------------------------------------------------------------------------


NEWS = "news"  # the channel by which news enter a talk


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
    unwanted: bool = False,
) -> bool:
    """Writes a piece of news once for ever; False when this id was written before. What is `unwanted` is kept and not told."""
    untold = {"served_at": at, "untold": "unwanted"} if unwanted else {}
    return tx.put_new(
        events, id=id, person=person, kind=kind, body=body, created_at=at, not_before=not_before, **untold
    )


def news_told_by(tx: Tx, letter: Letter) -> News | None:
    """The piece of news a letter tells; None for an answer in a talk."""
    channel, _, news_id = letter.cause.partition(":")
    row = (
        tx.conn.execute(sa.select(events).where(events.c.id == news_id)).first() if channel == NEWS else None
    )
    return _piece(row) if row else None


def news_due(tx: Tx, at: datetime, person: PersonId | None = None, limit: int = 50) -> list[News]:
    """News not served yet whose time has come, oldest first."""
    due = sa.or_(events.c.not_before.is_(None), events.c.not_before <= at)
    query = sa.select(events).where(events.c.served_at.is_(None), due)
    if person is not None:
        query = query.where(events.c.person == person)
    rows = tx.conn.execute(query.order_by(events.c.created_at, events.c.id).limit(limit))
    return [_piece(row) for row in rows]


def _piece(row: Any) -> News:
    return News(row.id, PersonId(row.person), row.kind, row.body, row.created_at)


def any_news_served(tx: Tx, news_ids: Sequence[str]) -> bool:
    """Whether one of these pieces of news was told already."""
    told = sa.exists().where(events.c.id.in_(news_ids), events.c.served_at.is_not(None))
    return bool(tx.conn.scalar(sa.select(told)))


def mark_served(tx: Tx, news_id: str, at: datetime) -> bool:
    """Claims a piece of news; False when somebody served it already."""
    unserved = sa.and_(events.c.id == news_id, events.c.served_at.is_(None))
    return tx.conn.execute(events.update().where(unserved).values(served_at=at)).rowcount == 1


def mark_superseded(tx: Tx, news_id: str) -> None:
    """It was no longer so when it would have been told."""
    tx.conn.execute(events.update().where(events.c.id == news_id).values(untold="superseded"))


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
