"""What a playground can testify: messages, money and records, read from the store and asked of the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.playground import audit_evidence, book_evidence, mandate_evidence, people_evidence
from data.ids import OrderNumber, PersonId
from data.money import Money
from data.store import delivery, journal, letters
from data.store.audit import audit
from data.store.engine import Tx
from data.store.payments import act_lines, acts, payments
from data.store.people import accounts, codes, enrolments
from data.store.post import outbox
from data.store.talks import conversations, tokens
from data.town import World
from dialogues import codes as second_phone
from dialogues import expectation, staffing, wire
from dialogues.model import Button, Conversation
from dialogues.testing.world import GatewayCall, Movement, Secret, Sent, SentButton, Talk, WorldFacts
from dialogues.turn import House
from integrations.sandbox.control_wire import Inspection
from payments import invariants, ledger
from payments.authority import numbers, wishes

_PAY_CALLS = {"charge": "pay", "start": "pay", "status": "status", "close": "close", "refund": "refund"}
_STATES = {"settled": "paid", "paid": "paid", "posting": "paid", "post_unknown": "paid", "failed": "failed"}
_SIX = re.compile(r"(?<!\d)\d{6}(?!\d)")


@dataclass(frozen=True, slots=True)
class PlacedButton:
    """A button somebody was sent, with the meaning it was written with."""

    title: str
    payload: str
    token: str


def last_letter(tx: Tx) -> int:
    """Number of the newest letter to anybody."""
    return tx.conn.scalar(sa.select(sa.func.max(outbox.c.seq))) or 0


def sent(tx: Tx, after: int, *, carried: bool = False) -> tuple[Sent, ...]:
    """Every letter after that number that went to a person's own channel, oldest first; `carried`: only those taken there."""
    found: list[Sent] = []
    rows = tx.conn.execute(sa.select(outbox.c.person).where(outbox.c.seq > after).distinct()).all()
    by_seq: list[tuple[int, letters.Letter]] = []
    for row in rows:
        by_seq += [(x.seq, x) for x in letters.letters_to(tx, PersonId(row.person), after)]
    payloads, urgent = _payloads(tx), mandate_evidence.urgent_causes(tx)
    gone = _gone(tx, after) if carried else {}
    for _, letter in sorted(by_seq, key=lambda pair: (gone.get(pair[1].id, ""), pair[0])):
        if _is_told(letter) and not (carried and letter.state not in _CARRIED):
            found.append(_sent(letter, payloads, letter.cause in urgent))
    return tuple(found)


def _gone(tx: Tx, after: int) -> dict[str, str]:
    """When each letter left: one that waited is heard after those that did not."""
    rows = tx.conn.execute(sa.select(outbox.c.id, outbox.c.sent_at).where(outbox.c.seq > after))
    return {row.id: row.sent_at.isoformat() for row in rows if row.sent_at is not None}


_CARRIED = ("sent", "delivered", "read")


def _is_told(letter: letters.Letter) -> bool:
    """What the person sees or hears; of the other telephone's messages only the notices, which are no codes."""
    notice = letter.cause.startswith(f"{letters.NEWS}:")
    return letter.state not in delivery.UNSEEN and (notice or letter.channel != second_phone.SMS)


def _payloads(tx: Tx) -> dict[str, str]:
    return {
        r.token: str(r.payload["payload"])
        for r in tx.conn.execute(sa.select(tokens.c.token, tokens.c.payload))
    }


def _sent(letter: letters.Letter, payloads: Mapping[str, str], urgent: bool) -> Sent:
    said = wire.load_said(letter.body)
    return Sent(
        person=letter.person,
        text=said.text,
        at=letter.created_at,
        channel=letter.channel,
        asks=said.asks,
        response=said.response,
        buttons=tuple(SentButton(b.title, payloads.get(b.token, "")) for b in said.buttons),
        claims=said.claims,
        payment=said.payment,
        speaker=said.speaker,
        cause=letter.cause,
        rate=said.rate,
        large=said.large,
        ends=said.ends,
        urgent=urgent,
        spoken=said.text if letter.channel == "voice" else None,
    )


def buttons_of(tx: Tx, person: PersonId) -> list[PlacedButton]:
    """Every button this person was sent, in order."""
    payloads = _payloads(tx)
    sent_buttons: list[Button] = []
    for letter in letters.letters_to(tx, person):
        if letter.state not in delivery.UNSEEN:
            sent_buttons += wire.load_said(letter.body).buttons
    return [PlacedButton(b.title, payloads.get(b.token, ""), b.token) for b in sent_buttons]


def newest_code(tx: Tx, person: PersonId) -> str | None:
    """The newest one-time code on the person's other phone, while it is still good for something."""
    unused = sa.select(codes.c.id).where(codes.c.person == person, codes.c.used_at.is_(None))
    proving = sa.select(enrolments.c.talker).where(
        enrolments.c.talker == person, enrolments.c.proven_at.is_(None)
    )
    if tx.conn.execute(unused).first() is None and tx.conn.execute(proving).first() is None:
        return None
    texts = [
        wire.load_said(x.body).text for x in letters.letters_to(tx, person) if x.channel == second_phone.SMS
    ]
    found = [match[0] for text in texts if (match := _SIX.search(text))]
    return found[-1] if found else None


# --- facts --------------------------------------------------------------------------------------------------------


def facts(
    tx: Tx, world: World, seen: Inspection, now: datetime, given: frozenset[str], house: House
) -> WorldFacts:
    """Everything the conversation tests may ask."""
    orders, talks = _orders(tx, world), _conversations(tx, world)
    whole = not ledger.verify(tx)
    captures = [
        _movement(orders[c.order], c.at, c.order in given) for c in seen.captures if c.order in orders
    ]
    return WorldFacts(
        now=now,
        captures=captures,
        posted=[
            _movement(orders[p.order], now, p.order in given)
            for p in seen.posts
            if p.state == "settled" and p.order in orders
        ],
        refunds=[
            _movement(orders[r.order], r.at, r.order in given) for r in seen.refunds if r.order in orders
        ],
        holds=[],
        confirmations=_confirmations(tx, world),
        gateway_calls=[
            GatewayCall(_PAY_CALLS[c.operation], c.key)
            for c in seen.calls
            if c.side == "rail" and c.operation in _PAY_CALLS
        ],
        state=_state(tx),
        tickets=_tickets(tx),
        mandates=mandate_evidence.standing(tx, _account_names(tx, world)),
        grants=people_evidence.grants_of(tx, world, now),
        prefs=_prefs(tx, talks),
        audit=list(tx.conn.scalars(sa.select(audit.c.kind).order_by(audit.c.seq))),
        talks=_talks(tx, talks, house),
        ledger_ok=whole and not journal.verify(tx),
        broken=invariants.check(
            tx,
            [(OrderNumber(c.order), Money(c.amount_fen)) for c in seen.captures],
            catalogue=house.catalogue,
        ),
        secrets=_secrets(tx, world),
        more={
            "hash_chain_ok": whole,
            "exceptions_open": book_evidence.open_exceptions(tx),
            **people_evidence.more(tx, world, now),
            **audit_evidence.more(tx, world, captures),
        },
    )


@dataclass(frozen=True, slots=True)
class _Order:
    account: str
    fen: int
    payer: str
    intent: str


def _orders(tx: Tx, world: World) -> dict[str, _Order]:
    names = _account_names(tx, world)
    rows = tx.conn.execute(sa.select(payments)).all()
    return {r.number: _Order(names[r.account], r.amount_fen, r.payer, r.id) for r in rows}


def _account_names(tx: Tx, world: World) -> dict[str, str]:
    """Our account ids by the world's own names for them."""
    known = {(a.biller, a.number): a.id for a in world.accounts.values()}
    found = {}
    for row in tx.conn.execute(sa.select(accounts)):
        account = numbers.opened(tx, row)
        found[row.id] = str(known.get((account.biller, account.number), row.id))
    return found


def _movement(order: _Order, at: datetime, given: bool) -> Movement:
    return Movement(order.account, order.fen, order.payer, at, order.intent, given)


def _confirmations(tx: Tx, world: World) -> list[Movement]:
    names = _account_names(tx, world)
    rows = tx.conn.execute(
        sa.select(acts.c.id, acts.c.payer, acts.c.decided_at, act_lines.c.account, act_lines.c.amount_fen)
        .join(act_lines, act_lines.c.act == acts.c.id)
        .where(acts.c.state == "confirmed")
    )
    return [Movement(names[r.account], r.amount_fen, r.payer, r.decided_at, r.id) for r in rows]


def _state(tx: Tx) -> str | None:
    last = tx.conn.scalar(sa.select(payments.c.state).order_by(payments.c.created_at.desc()).limit(1))
    return None if last is None else _STATES.get(last, "pending")


def _tickets(tx: Tx) -> list[dict[str, Any]]:
    return [
        {"kind": t.kind, "person": t.person, "reason": t.reason, "summary": t.summary}
        for t in letters.tickets_open(tx)
    ]


def _conversations(tx: Tx, world: World) -> dict[PersonId, Conversation]:
    talking = [PersonId(p) for p in tx.conn.scalars(sa.select(conversations.c.person))]
    found = {p: staffing.peek(tx, p) for p in talking if p in world.people}
    return {person: talk for person, talk in found.items() if talk is not None}


def _prefs(tx: Tx, talks: Mapping[PersonId, Conversation]) -> dict[str, dict[str, Any]]:
    return {
        str(person): {
            "large": talk.preferences.large,
            "voice_reply": talk.preferences.voice_reply,
            **_notices(tx, person),
        }
        for person, talk in talks.items()
    }


def _notices(tx: Tx, person: PersonId) -> dict[str, Any]:
    """What he wants to be told, where that differs from the usual."""
    now = wishes.of(tx, person)
    if now == wishes.USUAL:
        return {}
    quiet = [now.quiet.since, now.quiet.until]
    return {"unwanted": sorted(now.unwanted), "quiet": quiet, "road": now.road}


def _talks(tx: Tx, talks: Mapping[PersonId, Conversation], house: House) -> dict[str, Talk]:
    found = {}
    for person, talk in talks.items():
        place = house.releases.place(tx, house, talk)
        waits = expectation.expectation(place.house.release, place.talk, talk.channel == "voice").asks
        found[str(person)] = Talk(dict(talk.slots), _mode(tx, person, talk.mode), waits, ())
    return found


def _mode(tx: Tx, person: PersonId, mode: str) -> str:
    if mode == "human":
        return mode
    return "waiting" if letters.open_ticket_of(tx, person) is not None else "bot"


def _secrets(tx: Tx, world: World) -> list[Secret]:
    owners: dict[str, set[str]] = {str(a.number): set() for a in world.accounts.values()}
    for person, saved in world.saved.items():
        for account in saved:
            owners[world.accounts[account].number].add(str(person))
    found = [Secret("account", number, frozenset(who)) for number, who in owners.items()]
    found += [Secret("pin", p.pin, frozenset({str(p.id)})) for p in world.people.values() if p.pin]
    return found + [Secret("code", c, frozenset({p})) for p, c in _codes(tx, world.people)]


def _codes(tx: Tx, known: Iterable[PersonId]) -> list[tuple[str, str]]:
    found = []
    told = set(tx.conn.scalars(sa.select(outbox.c.person).where(outbox.c.channel == second_phone.SMS)))
    for person in known:
        for letter in letters.letters_to(tx, person) if person in told else ():
            match = (
                _SIX.search(wire.load_said(letter.body).text) if letter.channel == second_phone.SMS else None
            )
            if match:
                found.append((str(person), match[0]))
    return found
