"""Judges a payment after its crashes by what the town testifies, what the person heard and what our rows say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from data import catalogue
from data.ids import OrderNumber, PersonId
from data.money import Money
from data.store import journal, letters
from data.store.engine import Store, Tx
from data.store.payments import payments
from data.store.post import events, outbox
from data.store.talks import calls
from dialogues import wire
from integrations.sandbox.control_wire import Inspection
from payments import invariants, ledger
from payments.limits import Limits
from tests.crash.lane import KILLED, Played, Told
from tests.crash.resident import STORIES, Message, Story
from tests.databases import SEALER

# What may be said only with its claim, whatever the sentence (L2).
_WORDS = {"captured": re.compile("已扣款"), "posted": re.compile("已销账|已到账")}
_NOTHING_TOOK_PLACE = {"cancelled", "failed"}
Claim = tuple[str, str, str]  # what is claimed of which payment, and to whom
_MOVED = {"captured", "posted", "refunded"}


def breaches(played: Played) -> list[str]:
    """Every promise that was broken, as a sentence; none when all is well."""
    return [f"{played.case}, at [{played.last_point}]: {what}" for what in _all(played)]


def _all(played: Played) -> Iterator[str]:
    yield from _of_the_lives(played)
    if played.lives[-1].exit != 0:
        return
    story = STORIES[played.case.story]
    yield from _of_the_town(played.lives[-1].town, story)
    yield from _of_what_was_asked_again(played)
    store = Store.open(played.url, SEALER)
    try:
        yield from store.run_now(lambda tx: list(_of_our_rows(tx, played.lives[-1].town, story)))
        yield from _of_what_was_heard(played, store.run_now(_numbers))
    finally:
        store.close()


def _of_the_lives(played: Played) -> Iterator[str]:
    wanted = [KILLED] * len(played.case.kills) + [0]
    ended = [life.exit for life in played.lives]
    if ended != wanted:
        last = played.lives[-1]
        yield f"lives ended with {ended}, not {wanted}: {last.one('died') or last.lines[-1]}"
    elif not played.lives[-1].one("rest"):
        yield "it did not come to an end, or the person was never told that the bill is written off"


# --- money ------------------------------------------------------------------------------------------------------------


def _of_the_town(town: Inspection, story: Story) -> Iterator[str]:
    """Collected once, written off once, nothing given back."""
    captured = [c.amount_fen for c in town.captures]
    posted = [(p.account, p.amount_fen, p.state) for p in town.posts]
    if captured != [story.fen]:
        yield f"the rail collected {captured}, not {[story.fen]}"
    if posted != [(story.account, story.fen, "settled")]:
        yield f"the biller wrote off {posted}"
    if town.refunds:
        yield "money was given back, and nobody wanted it back"


def _of_our_rows(tx: Tx, town: Inspection, story: Story) -> Iterator[str]:
    yield from invariants.check(
        tx,
        [(OrderNumber(c.order), Money(c.amount_fen)) for c in town.captures],
        rail_refunds={},
        catalogue=catalogue.load(),
        at_rest=True,
    )
    yield from (f"the book is broken at line {b.seq}: {b.why}" for b in ledger.verify(tx))
    yield from (f"the journal is broken at row {row}" for row in journal.verify(tx))
    states = Counter(tx.conn.scalars(sa.select(payments.c.state)))
    if states["settled"] != 1 or set(states) - _NOTHING_TOOK_PLACE != {"settled"}:
        yield f"payments ended as {dict(states)}"
    kinds = Counter(journal.kinds(tx))
    if (kinds["captured"], kinds["posted"]) != (1, 1):
        yield f"the journal knows {kinds['captured']} collections and {kinds['posted']} writings off"
    yield from _of_refusals(tx, story)
    yield from _of_letters(tx, story)
    yield from _of_loose_ends(tx)


def _of_refusals(tx: Tx, story: Story) -> Iterator[str]:
    """Who said yes to what was not carried out is told that nothing was charged."""
    known = set(tx.conn.scalars(sa.select(events.c.id)))
    for payment in tx.conn.scalars(sa.select(payments.c.id).where(payments.c.state.in_(_NOTHING_TOOK_PLACE))):
        if not known & {f"{kind}:{payment}:{story.person}" for kind in ("refused", "stopped")}:
            yield f"nobody was told that {payment} was not carried out"


def _of_letters(tx: Tx, story: Story) -> Iterator[str]:
    """What is written of a payment is written once to this person, crash or not."""
    said = [wire.load_said(x.body) for x in letters.letters_to(tx, PersonId(story.person))]
    written = Counter((s.claims, s.payment) for s in said if s.claims)
    yield from (f"{claim} was written {times} times" for claim, times in written.items() if times != 1)
    moved = sorted(str(claim) for claim, _ in written if claim in _MOVED)
    if moved != (["posted"] if story.by_itself else ["captured", "posted"]):
        yield f"written was {moved}"
    if story.elder:
        yield from _of_the_elder(tx, story)


def _of_the_elder(tx: Tx, story: Story) -> Iterator[str]:
    """What another paid for him by itself is told to him as well: once, when the biller has it (L7)."""
    said = [wire.load_said(x.body) for x in letters.letters_to(tx, PersonId(story.elder))]
    claimed = [s.claims for s in said if s.claims]
    if claimed != ["posted"]:
        yield f"the elder was written {claimed}"


def _of_loose_ends(tx: Tx) -> Iterator[str]:
    left = {
        "letters unsent": tx.conn.scalar(_count(outbox, outbox.c.state.in_(["queued", "leased"]))),
        "news untold": tx.conn.scalar(_count(events, events.c.served_at.is_(None))),
        "questions open": tx.conn.scalar(_count(calls, calls.c.state == "waiting")),
    }
    yield from (f"{n} {what} at the end" for what, n in left.items() if n)


def _count(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table).where(condition)


# --- words ------------------------------------------------------------------------------------------------------------


def _of_what_was_heard(played: Played, numbers: Mapping[str, str]) -> Iterator[str]:
    """Nothing was claimed, or lay ready to be claimed, that was not so when the process died."""
    for n, life in enumerate(played.lives):
        told = [(m["claims"], m["payment"]) for m in life.all("told") if m["claims"]]
        ready = played.lives[n + 1].one("found")["claims"] if n + 1 < len(played.lives) else []
        for claim, payment in {*told, *map(tuple, ready)}:
            if not _true(claim, numbers[payment], life.town):
                yield f"{claim} was claimed in life {n + 1}, and it was not so"
        for message in life.all("told"):
            yield from _of_words(message)
    yield from _of_repetitions(played)


def _numbers(tx: Tx) -> dict[str, str]:
    """The rail's number of each payment."""
    return {row.id: row.number for row in tx.conn.execute(sa.select(payments.c.id, payments.c.number))}


def _true(claim: str, number: str, town: Inspection) -> bool:
    """Whether rail and biller say the same of this payment."""
    captured = any(c.order == number for c in town.captures)
    match claim:
        case "captured":
            return captured
        case "not_captured":
            return not captured
        case "posted":
            return any(p.order == number and p.state == "settled" for p in town.posts)
        case _:
            return any(r.order == number for r in town.refunds)


def _of_words(message: Message) -> Iterator[str]:
    for claim, words in _WORDS.items():
        if words.search(message["text"]) and message["claims"] != claim:
            yield f"{message['response']} says what only a claim of {claim} may say"


def _of_repetitions(played: Played) -> Iterator[str]:
    """A message reaches the person once. Only the one that was on its way at a crash may come a second time."""
    arrived = Counter(_claims_of(played))
    on_the_way = Counter(_claims_in_flight(played))
    for claim, times in arrived.items():
        if times > 1 + on_the_way[claim]:
            yield f"{claim} was told {times} times"


def _claims_of(played: Played) -> list[Claim]:
    told = [m for life in played.lives for m in life.all("told") if m["claims"]]
    return [(m["claims"], m["payment"], m["person"]) for m in told]


def _claims_in_flight(played: Played) -> Iterator[Claim]:
    for life in played.lives[:-1]:
        last = _told_at_the_very_end(life)
        if last and last["claims"]:
            yield last["claims"], last["payment"], last["person"]


def _told_at_the_very_end(life: Told) -> Message | None:
    """The message of which the process had not yet written down that it is sent."""
    names = [name for name, _ in life.lines]
    if "told" not in names:
        return None
    last = len(names) - 1 - names[::-1].index("told")
    kept = any(str(value).startswith("kept Carrier._note") for _, value in life.lines[last:])
    return None if kept else life.lines[last][1]


def _of_what_was_asked_again(played: Played) -> Iterator[str]:
    """A yes that was written down is carried out by itself; the wish is said again only where nothing is charged."""
    for n, life in enumerate(played.lives, 1):
        wishes: list[dict[str, Any]] = life.all("wish")
        if any(w["captures"] or _claims_money(w) or _alive(w) for w in wishes):
            yield f"in life {n} the person had to ask for what was under way or done"
        if played.case.restart < Limits().send_within and _alive(life.one("found")) and wishes:
            yield f"in life {n} a confirmed payment was not carried out"


def _claims_money(standing: dict[str, Any]) -> bool:
    return any(claim in _MOVED for claim, _ in standing["claims"])


def _alive(standing: dict[str, Any]) -> bool:
    return bool(set(standing["payments"]) - _NOTHING_TOOK_PLACE)
