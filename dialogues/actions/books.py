"""The book and the statements in a talk: whether the book is whole, how a day compares, whether a receipt holds."""

from __future__ import annotations

import logging
from calendar import month_name
from collections import defaultdict
from datetime import date
from typing import Any

from data.clock import shanghai
from data.ids import PersonId
from data.money import Money, total
from data.store import journal
from dialogues import responses
from dialogues.actions.ports import Arguments, Inside, Outside, Result, inside, outside
from dialogues.model import Say
from nlu import bookkeeping
from payments import differences, ledger, receipts, tracing
from payments.comparing import Kind
from payments.differences import Found
from payments.ledger import Broken

log = logging.getLogger("bangjiao.payments")

_BOOK = PersonId("ledger")
_MOST = 5  # lines named one by one
_WORDS = {
    ledger.CHANGED: "changed",
    ledger.MISSING: "missing",
    ledger.INSERTED: "inserted",
    ledger.UNLINKED: "unlinked",
    ledger.NO_END: "no_end",
}


@inside("action_verify_book", "whole broken not_yours", writes="book_lines book_broken book_count")
def verify_book(room: Inside, slots: Arguments) -> Result:
    """The whole chain, line by line; what does not fit is named with its number and day."""
    if not tracing.allowed(room.tx, room.person):
        return Result("not_yours")
    broken = ledger.verify(room.tx)
    if not broken:
        return Result("whole", {"book_lines": ledger.lines_in(room.tx)})
    log.error("alarm: the book is broken at line %s: %s", broken[0].seq, broken[0].why)
    journal.record(
        room.tx,
        kind="tamper_found",
        person=_BOOK,
        actor=room.person,
        subject=f"ledger:{broken[0].seq}",
        at=room.now,
        body={"lines": [b.seq for b in broken[:_MOST]]},
    )
    named = "\n".join(_broken(room, b) for b in broken[:_MOST])
    return Result("broken", {"book_broken": named, "book_count": len({b.seq for b in broken})})


def _broken(room: Inside, one: Broken) -> str:
    day = shanghai(one.at).date().isoformat() if one.at else "?"
    return _words(room, "utter_book_line", book_n=str(one.seq), book_day=day, book_why=_WORDS[one.why])


@inside(
    "action_check_receipt",
    "holds tampered unknown not_yours",
    reads="receipt_code",
    writes="amount biller_name book_day book_broken payment",
)
def check_receipt(room: Inside, slots: Arguments) -> Result:
    """What the book says to the code on a receipt."""
    if not tracing.allowed(room.tx, room.person):
        return Result("not_yours")
    checked = receipts.check(room.tx, str(slots.get("receipt_code") or ""))
    if checked.verdict == receipts.TAMPERED:
        named = "\n".join(_broken(room, b) for b in checked.broken[:_MOST])
        return Result("tampered", {"book_broken": named})
    if checked.verdict == receipts.UNKNOWN:
        return Result("unknown")
    assert checked.biller is not None
    assert checked.amount is not None
    assert checked.at is not None
    told = {
        "biller_name": room.catalogue.biller(checked.biller).name[room.locale],
        "amount": checked.amount.fen,
        "book_day": shanghai(checked.at).date().isoformat(),
        "payment": checked.payment,
    }
    return Result("holds", told)


# --- statements -----------------------------------------------------------------------------------------------------


@outside(
    "action_reconcile",
    "same differs late",
    reads="book_words",
    writes="statement_day difference_ids",
    reads_others=True,
)
async def reconcile(room: Outside, slots: Arguments) -> Result:
    """The statements of a day are fetched and compared now, as every night."""
    assert room.books is not None, "the house was built without its statements"
    day = bookkeeping.day_of(str(slots.get("book_words") or ""), shanghai(room.clock.now()).date())
    done = await room.books.run(day, by=room.person)
    told = {"statement_day": day.isoformat(), "difference_ids": [f.id for f in done.standing]}
    if done.standing:
        return Result("differs", told)
    return Result("same" if done.complete else "late", told)


@inside(
    "action_may_keep_books",
    "allowed not_yours",
)
def may_keep_books(room: Inside, slots: Arguments) -> Result:
    """Auditors and operators only."""
    return Result("allowed" if tracing.allowed(room.tx, room.person) else "not_yours")


@inside(
    "action_differences",
    "told none",
    reads="difference_ids statement_day",
    writes="statement_label df_lines df_count payment",
)
def tell_differences(room: Inside, slots: Arguments) -> Result:
    """What differs, by kind: how many and how much; what was explained meanwhile is left out."""
    wanted = frozenset(slots.get("difference_ids") or ())
    found = [f for f in differences.listed(room.tx) if f.id in wanted and _still_so(room, f)]
    told: dict[str, Any] = {"statement_label": _day(room, date.fromisoformat(str(slots["statement_day"])))}
    if not found:
        return Result("none", told)
    by_kind: defaultdict[Kind, list[Found]] = defaultdict(list)
    for one in found:
        by_kind[one.kind].append(one)
    lines = [_line(room, kind, some) for kind, some in by_kind.items()]
    # The sentence says that money was collected: it is held against one of these payments, the others were above.
    collected = next((f.payment for f in by_kind[Kind.NOT_POSTED]), None)
    told |= {"df_lines": "\n".join(lines), "df_count": len(found), "payment": collected}
    return Result("told", told)


def _still_so(room: Inside, found: Found) -> bool:
    """Collected is for the rail to say (L2): what does not hold any more is not told."""
    if found.kind is not Kind.NOT_POSTED or found.payment is None:
        return True
    return room.till.claim_holds(room.tx, found.payment, "captured")


def _line(room: Inside, kind: Kind, found: list[Found]) -> str:
    sums = total([f.ours or f.theirs or Money(0) for f in found])
    label = _words(room, "utter_difference_kind", df_kind=kind.value)
    if not sums:
        return _words(room, "utter_difference_file", df_label=label)
    return _words(room, "utter_difference_line", df_label=label, df_n=str(len(found)), df_total=sums.fen)


def _day(room: Inside, day: date) -> str:
    return f"{day.month}月{day.day}日" if room.locale == "zh" else f"{day.day} {month_name[day.month]}"


def _words(room: Inside, response: str, **values: Any) -> str:
    return responses.render(room.release, Say(response, values), room.conversation, room.facts)[0].text


ACTIONS = (verify_book, check_receipt, reconcile, may_keep_books, tell_differences)
