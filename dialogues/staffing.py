"""Staff and a talk: who waits, taking over, speaking, proposing a payment, handing back. Staff never says yes for anybody."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.events import InboundEvent
from data.ids import AccountId, PersonId, TicketId
from data.model import Role, masked_name
from data.store import journal, letters
from data.store.engine import Tx
from data.store.talks import conversations as conversations_table
from data.store.talks import turns
from dialogues import conversations, wire
from dialogues.actions.account import described
from dialogues.model import Conversation, Heard, Input, News, Said
from dialogues.naming import named
from nlu.commands import StartFlow
from payments.authority import accounts, people, vouching


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who wants a person, or has one."""

    ticket: TicketId
    person: PersonId
    name: str
    since: datetime
    reason: str
    summary: str
    large: bool
    mode: str
    staff: str


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of a talk as staff may see it: texts with masked numbers."""

    seq: int
    speaker: str  # "me" is the person, "bot" is us, else the member of staff
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StaffOutcome:
    """What a member of staff's act leaves for the turn."""

    conversation: Conversation
    said: tuple[Said, ...] = ()
    inputs: tuple[Input, ...] = ()


def act(tx: Tx, event: InboundEvent, conversation: Conversation) -> StaffOutcome:
    """Carries out `take_over`, `say` or `hand_back` by the member of staff named in the event."""
    what, staff = str(event.payload["act"]), PersonId(str(event.payload["staff"]))
    if not may_serve(tx, staff, event.person):
        return StaffOutcome(conversation)
    if what == "take_over":
        return _take_over(tx, event, conversation, staff)
    if conversation.mode != "human" or conversation.staff != staff:
        return StaffOutcome(conversation)
    if what == "say":
        name = people.person(tx, staff).name
        text = conversations.masked(event.text)[:1000]
        return StaffOutcome(
            conversation,
            (Said(response="staff", text=text, speaker=name, large=conversation.preferences.large),),
        )
    return _hand_back(tx, event, conversation, staff)


def is_staff(tx: Tx, person: PersonId) -> bool:
    """Whether this person may serve at the staff page."""
    return people.person(tx, person).role in (Role.OPERATOR, Role.HELPER)


def may_serve(tx: Tx, staff: PersonId, person: PersonId) -> bool:
    """An operator serves everybody who asked for a person; a community helper only the elders who chose him (L6)."""
    who = people.person(tx, staff)
    if who.role is Role.OPERATOR:
        return True
    return who.role is Role.HELPER and any(r.relative == person for r in people.relatives(tx, staff))


def _take_over(tx: Tx, event: InboundEvent, conversation: Conversation, staff: PersonId) -> StaffOutcome:
    mine = [t for t in letters.tickets_open(tx) if t.person == event.person and t.owner != staff]
    taken = [t.id for t in mine if _taken(tx, t, staff, event.at)]
    if not taken:
        return StaffOutcome(conversation)
    journal.record(tx, kind="takeover", person=event.person, actor=staff, subject=taken[0], at=event.at)
    told = News("tell_staff", {"staff": people.person(tx, staff).name, "news": "taken_over"})
    return StaffOutcome(replace(conversation, mode="human", staff=staff), inputs=(told,))


def _taken(tx: Tx, ticket: letters.Ticket, staff: PersonId, at: datetime) -> bool:
    """From the queue, or by an operator from a colleague: nobody is left alone because somebody went home."""
    if ticket.state == "waiting":
        return letters.take_ticket(tx, ticket.id, staff, at)
    return people.person(tx, staff).role is Role.OPERATOR and letters.reassign_ticket(
        tx, ticket.id, staff, at
    )


def _hand_back(tx: Tx, event: InboundEvent, conversation: Conversation, staff: PersonId) -> StaffOutcome:
    held = [t.id for t in letters.tickets_open(tx) if t.person == event.person and t.owner == staff]
    for ticket in held:
        letters.close_ticket(tx, ticket, event.at)
    subject = held[0] if held else ""
    journal.record(tx, kind="handoff_ended", person=event.person, actor=staff, subject=subject, at=event.at)
    back = replace(conversation, mode="bot", staff="", misses=0)
    told = News("tell_staff", {"staff": people.person(tx, staff).name, "news": "handed_back"})
    if event.payload.get("reset_pin"):
        return _reset_pin(tx, event, back, staff, told)
    account = event.payload.get("account")
    if not account:
        return StaffOutcome(back, inputs=(told,))
    known = {k.account.id: k for k in accounts.known_accounts(tx, event.person, event.at)}
    wanted = known.get(AccountId(str(account)))
    if wanted is None:
        return StaffOutcome(back, inputs=(told,))
    slots: dict[str, Any] = {"utility": wanted.account.utility.value, "account": wanted.account.number}
    # The business below stands where it stood; a payment staff proposes begins on a clean sheet.
    clean = replace(back, stack=(), slots={})
    return StaffOutcome(clean, inputs=(told, Heard((StartFlow("pay_bill", slots),))))


def _reset_pin(tx: Tx, event: InboundEvent, back: Conversation, staff: PersonId, told: News) -> StaffOutcome:
    """He forgot his PIN, says who served him: he is asked himself, on his own channel, and sets the new one himself."""
    if not vouching.begin(tx, event.person, staff, event.at):
        return StaffOutcome(back, inputs=(told, News("tell_staff", {"news": "no_reset"})))
    asked = {"reset_by": staff, "who": named(tx, event.person, staff, back.preferences.locale)}
    return StaffOutcome(replace(back, stack=(), slots={}), inputs=(told, News("reset_pin", asked)))


# --- what staff sees ----------------------------------------------------------------------------------------------


def queue(tx: Tx, staff: PersonId) -> list[Waiting]:
    """Who waits or is being served, longest wait first, as far as this member of staff may serve them."""
    return [_waiting(tx, t) for t in letters.tickets_open(tx) if may_serve(tx, staff, t.person)]


def serving(tx: Tx, staff: PersonId) -> list[PersonId]:
    """Whom this member of staff has taken over."""
    return [t.person for t in letters.tickets_open(tx) if t.state == "taken" and t.owner == staff]


def _waiting(tx: Tx, ticket: letters.Ticket) -> Waiting:
    who = people.find(tx, ticket.person)
    talk = peek(tx, ticket.person)
    large = (who is not None and who.low_sight) or (talk is not None and talk.preferences.large)
    name = masked_name(who.name) if who else "?"
    mode = "human" if ticket.state == "taken" else "waiting"
    staff = people.person(tx, ticket.owner).name if ticket.owner else ""
    return Waiting(
        ticket.id,
        ticket.person,
        name,
        ticket.created_at,
        ticket.reason,
        ticket.summary,
        large,
        mode,
        staff,
    )


def peek(tx: Tx, person: PersonId) -> Conversation | None:
    """The conversation of a person as it stands, without holding it."""
    table = conversations_table
    row = tx.conn.execute(sa.select(table.c.state).where(table.c.person == person)).one_or_none()
    return wire.load(tx.seal.open("conversations.state", person, row.state)) if row else None


def mirror(tx: Tx, person: PersonId, limit: int = 60) -> list[Line]:
    """The last turns of a talk with masked texts, oldest first."""
    rows = tx.conn.execute(
        sa.select(turns).where(turns.c.person == person).order_by(turns.c.seq.desc()).limit(limit)
    ).all()
    lines: list[Line] = []
    for row in reversed(rows):
        key = f"{row.channel}:{row.event_id}"
        heard = tx.seal.open("turns.heard", key, row.heard)
        said = json.loads(tx.seal.open("turns.said", key, row.said))
        if heard and row.kind not in ("answer", "result", "staff"):
            lines.append(Line(row.seq, "me", heard, row.at))
        speaker = "staff" if row.kind == "staff" else "bot"
        lines += [Line(row.seq, speaker, text, row.at) for text in said]
    return lines


def known_bills(tx: Tx, catalogue: Catalogue, person: PersonId, at: datetime) -> list[tuple[AccountId, str]]:
    """A person's own saved accounts by masked caption, for a payment staff may propose."""
    found = []
    for known in accounts.known_accounts(tx, person, at):
        facts = described(catalogue, known, "zh")
        found.append((known.account.id, f"{facts['bill_name']} {facts['holder']} 尾号{facts['tail']}"))
    return found
