"""Judges a house after a storm by the town's own books, the people's letters and our rows; each broken promise is a sentence."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from benchmarks.paying import crowd
from bot.commands.operator import talks_page
from data import catalogue
from data.ids import OrderNumber, PersonId
from data.money import Money
from data.store import journal, letters
from data.store.engine import Store, Tx
from data.store.payments import act_lines, acts, payments
from data.store.payments import ledger as book
from data.store.post import events, outbox, tickets
from dialogues import wire
from integrations.sandbox.control_wire import Inspection
from payments import invariants, ledger
from payments.doctor import Doctor
from payments.states import FINAL, State
from tests.crash.chaos import House
from tests.crash.labour import LIMITS, Shifted
from tests.crash.storm import Weather, open_payments
from tests.databases import SEALER

_LOOK_SECONDS = 0.25
_LATER = timedelta(hours=1)  # whatever a counterparty put off has happened by then
_SHOWN = 6


@dataclass(frozen=True)
class Truth:
    """What the town's own database knows after its end. Sums in fen."""

    seen: Inspection
    funds: Mapping[str, int]  # by purse
    balances: Mapping[str, int]  # by meter


@dataclass(frozen=True)
class Verdict:
    """What came of a house: how its payments ended, how many a person was called for, letters that came twice, and
    every promise that was broken."""

    states: Mapping[str, int]
    helped: int
    twice: int
    broken: tuple[str, ...]

    def report(self, weather: Weather) -> str:
        """A failure as a short story with its seed."""
        told = [f"seed {weather.seed}", *weather.story, f"payments ended as {dict(self.states)}"]
        rest = [f"and {len(self.broken) - _SHOWN} more"] if len(self.broken) > _SHOWN else []
        return "\n".join([*told, *self.broken[:_SHOWN], *rest])


def judged(house: House, weather: Weather, rest_seconds: float) -> Verdict:
    """Lets the house come to rest within so many seconds, closes it, and examines everything it left."""
    house.town_do(lambda control: control.clear_faults())
    store = Store.open(house.url, SEALER)
    try:
        unrest = _come_to_rest(house, store, rest_seconds)
        badly = [
            f"{one.name} ended with {code}: {one.said}" for one in house.everybody if (code := one.stop())
        ]
        truth = _truth(house)
        before = [*unrest, *badly, *_doctor(house, store)]
        return store.run_now(lambda tx: _verdict(tx, house, weather, truth, before))
    finally:
        store.close()


def _come_to_rest(house: House, store: Store, seconds: float) -> list[str]:
    """What a person looks at may still end by itself, and people at the counter go on then; it need not."""
    until = time.monotonic() + seconds
    while (left := store.run_now(_unfinished)) or store.run_now(lambda tx: _may_move(tx, house)):
        if time.monotonic() > until:
            return left
        time.sleep(_LOOK_SECONDS)
    return []


def _may_move(tx: Tx, house: House) -> bool:
    with_a_person = sa.select(sa.func.count()).where(payments.c.state == State.NEEDS_HUMAN)
    begun = tx.conn.scalar(sa.select(sa.func.count()).select_from(payments)) or 0
    return bool(tx.conn.scalar(with_a_person)) or begun < house.size.payments


def _unfinished(tx: Tx) -> list[str]:
    unsent = sa.select(sa.func.count()).where(outbox.c.state.in_(["queued", "leased"]))
    untold = sa.select(sa.func.count()).where(events.c.served_at.is_(None))
    counted = {
        "payments are not over": len(open_payments(tx)),
        "letters are not sent": tx.conn.scalar(unsent) or 0,
        "news are not told": tx.conn.scalar(untold) or 0,
    }
    return [f"lost: {n} {what}" for what, n in counted.items() if n]


def _truth(house: House) -> Truth:
    """The town's testimony when everything it had put off has happened, and its books when it is closed."""
    house.town_do(lambda control: control.callbacks_to(None))
    house.town_do(lambda control: control.advance(_LATER))
    seen = house.town_do(lambda control: control.inspect())
    house.town.stop()
    with closing(sqlite3.connect(house.town.spec["database"])) as books:
        funds = dict(books.execute("SELECT id, funds FROM purses"))
        balances = dict(books.execute("SELECT id, balance FROM accounts"))
    return Truth(seen, funds, balances)


def _doctor(house: House, store: Store) -> list[str]:
    doctor = Doctor(store, Shifted(house.ahead), catalogue.load(), LIMITS, more=(talks_page,))
    return [f"bangjiao doctor: {f.invariant} {f.sentence} {f.rows[:3]}" for f in doctor.examine().findings]


def _verdict(tx: Tx, house: House, weather: Weather, truth: Truth, before: list[str]) -> Verdict:
    rows = list(tx.conn.execute(sa.select(payments)))
    twice = list(_arrived_twice(house))
    broken = [
        *filter(None, [weather.stuck]),
        *before,
        *_of_money(house, rows, truth),
        *_of_invariants(tx, truth),
        *_of_sums(tx, rows, truth),
        *_of_yeses(tx, house, rows),
        *_of_ends(tx, rows),
        *_of_letters(tx, house, rows, truth),
    ]
    if len(twice) > weather.kills:
        broken.append(f"{len(twice)} letters came twice after {weather.kills} kills: {twice[:3]}")
    return Verdict(Counter(row.state for row in rows), _helped(tx), len(twice), tuple(broken))


def _helped(tx: Tx) -> int:
    """Payments a person was called for, those that ended by themselves afterwards included."""
    unclear = sa.select(sa.func.count(sa.distinct(tickets.c.about))).where(
        tickets.c.kind == "payment_unclear"
    )
    return int(tx.conn.scalar(unclear) or 0)


# --- money ------------------------------------------------------------------------------------------------------------


def _of_money(house: House, rows: list[Any], truth: Truth) -> Iterator[str]:
    """Purse by purse and meter by meter: what left, came back and arrived is what our rows say, to the fen."""
    world = crowd(house.size.homes)
    unclear = _with_a_person(rows, truth)
    for purse in world.instruments.values():
        mine = [r for r in rows if r.payer == purse.instrument.owner]
        ours = sum(r.amount_fen for r in mine if (r.captured_at and not r.refunded_at) or r.number in unclear)
        spent = purse.funds.fen - truth.funds[purse.instrument.id]
        if spent != ours:
            yield f"double or lost money: {spent} fen left {purse.instrument.id}, we know of {ours}"
    for home in world.accounts.values():
        ours = sum(r.amount_fen for r in rows if r.account == home.id and r.posted_at)
        assert home.balance is not None
        risen = truth.balances[home.id] - home.balance.fen
        if risen != ours:
            yield f"{home.id} was topped up by {risen} fen, we know of {ours}"
    for number, times in Counter(c.order for c in truth.seen.captures).items():
        if times > 1:
            yield f"{number} was collected {times} times"


def _with_a_person(rows: list[Any], truth: Truth) -> set[str]:
    """Numbers of which the rail has the money while only a person of ours looks after them."""
    taken = {c.order for c in truth.seen.captures}
    return {r.number for r in rows if r.state == State.NEEDS_HUMAN and not r.captured_at} & taken


def _of_invariants(tx: Tx, truth: Truth) -> Iterator[str]:
    seen = truth.seen
    yield from invariants.check(
        tx,
        [(OrderNumber(c.order), Money(c.amount_fen)) for c in seen.captures],
        rail_refunds={
            OrderNumber(r.refund): (OrderNumber(r.order), Money(r.amount_fen)) for r in seen.refunds
        },
        catalogue=catalogue.load(),
        at_rest=True,
    )
    yield from (f"the book is broken at line {b.seq}: {b.why}" for b in ledger.verify(tx))
    yield from (f"the journal is broken at row {row}" for row in journal.verify(tx))


def _of_sums(tx: Tx, rows: list[Any], truth: Truth) -> Iterator[str]:
    """The book's sums are the town's sums."""
    unclear = _with_a_person(rows, truth)
    theirs = {
        "capture": sum(c.amount_fen for c in truth.seen.captures if c.order not in unclear),
        "post": sum(p.amount_fen for p in truth.seen.posts if p.state == "settled"),
        "refund": sum(r.amount_fen for r in truth.seen.refunds),
    }
    for kind, fen in theirs.items():
        ours = tx.conn.scalar(sa.select(sa.func.sum(book.c.amount_fen)).where(book.c.kind == kind)) or 0
        if ours != fen:
            yield f"the book has {ours} fen of {kind}, the town {fen}"


# --- nothing lost -----------------------------------------------------------------------------------------------------


def _of_yeses(tx: Tx, house: House, rows: list[Any]) -> Iterator[str]:
    """What somebody was told is confirmed has its payments; what is confirmed has one for each of its lines."""
    known = {row.id: row for row in rows}
    for act, made, fen in house.yeses():
        if [(known[p].act, known[p].amount_fen) for p in made if p in known] != [(act, fen)] * len(made):
            yield f"lost: {act} was confirmed to its owner, and its payments are not there"
    lines = sa.select(act_lines.c.act, act_lines.c.n).join(acts, acts.c.id == act_lines.c.act)
    promised = {(r.act, r.n) for r in tx.conn.execute(lines.where(acts.c.state == "confirmed"))}
    if promised != {(row.act, row.line) for row in rows}:
        yield "lost: confirmed acts and payments differ"
    if len(rows) < house.size.payments and not any(row.state == State.NEEDS_HUMAN for row in rows):
        yield f"only {len(rows)} of {house.size.payments} payments were made"


def _of_ends(tx: Tx, rows: list[Any]) -> Iterator[str]:
    """Every payment is over, or a person looks at it."""
    for row in rows:
        if State(row.state) not in FINAL:
            ticket = letters.open_ticket_of(tx, PersonId(row.payer))
            if row.state != State.NEEDS_HUMAN or ticket is None:
                yield f"lost: {row.id} is {row.state}, and nobody looks at it"


# --- words ------------------------------------------------------------------------------------------------------------


def _of_letters(tx: Tx, house: House, rows: list[Any], truth: Truth) -> Iterator[str]:
    """Each thing is written once, what is written has arrived, and every good end is written."""
    written: Counter[tuple[str, str, str]] = Counter()
    claimed: Counter[tuple[str, str]] = Counter()
    for home in crowd(house.size.homes).people.values():
        for letter in letters.letters_to(tx, home.id):
            said = wire.load_said(letter.body)
            if said.payment is not None:
                written[home.id, said.payment, said.response] += 1
                claimed[said.payment, said.claims or ""] += 1
    yield from (f"written {n} times: {what}" for what, n in written.items() if n > 1)
    arrived, taken = set(house.told()), {c.order for c in truth.seen.captures}
    yield from (f"written and never arrived: {what}" for what in written if what not in arrived)
    for row in rows:
        facts = {"captured": row.captured_at, "posted": row.posted_at, "refunded": row.refunded_at}
        if claimed[row.id, "not_captured"] and row.number in taken:
            yield f"{row.id} was told as not charged, and the rail took the money"
        for claim, moved in facts.items():
            if claimed[row.id, claim] and not moved:
                yield f"{row.id} was told as {claim}, and it is not so"
        for claim in ("posted", "refunded"):
            if facts[claim] and claimed[row.id, claim] != 1:
                yield f"{row.id} was told as {claim} {claimed[row.id, claim]} times"


def _arrived_twice(house: House) -> Iterator[tuple[str, str, str]]:
    for letter, times in Counter(house.told()).items():
        if letter[1] is not None:
            yield from [letter] * (times - 1)
