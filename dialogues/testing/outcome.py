"""Whether what is true after the last step is what the script's `then` promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dialogues.testing.compare import has_rows, holds, same_rows
from dialogues.testing.moment import Moment, joined
from dialogues.testing.world import Movement, Unsupported

_RECORDS = ("captures", "posted", "refunds", "holds")


def complaints(then: Mapping[str, Any], moment: Moment, hung_up: str) -> list[str]:
    """What is not as promised, one sentence each. Raises Unsupported for a key of which the world knows nothing.

    hung_up: nobody | person | bot | bot_before_ticket, as seen during the talk.
    """
    found: list[str] = []
    for key, promised in then.items():
        if key == "hung_up_by":
            found += _hung_up(promised, hung_up)
        elif key != "for_every_order":
            found += _CHECKS.get(key, _plain(key))(promised, moment)
    return found


def money(moment: Moment) -> dict[str, list[tuple[str, int, str]]]:
    """What moved, comparable between two runs of the same talk."""
    facts = moment.facts
    kinds = {"captures": facts.captures, "posted": facts.posted, "refunds": facts.refunds}
    return {k: sorted((m.account, m.fen, m.payer) for m in rows) for k, rows in kinds.items() if rows}


def _row(movement: Movement) -> dict[str, Any]:
    return {"account": movement.account, "fen": movement.fen, "payer": movement.payer}


def _movements(key: str, start: int = 0) -> Callable[[Any, Moment], Iterator[str]]:
    def check(promised: Any, moment: Moment) -> Iterator[str]:
        rows = _known(f"then.{key}", getattr(moment.facts, "captures" if key == "captures_new" else key))
        rows = rows[moment.captures_before :] if key == "captures_new" else rows
        if not same_rows(promised, found := [_row(m) for m in rows]):
            yield f"{key} are {found}, promised {promised}"

    return check


def _known(key: str, value: Any) -> Any:
    if value is None:
        raise Unsupported(key)
    return value


def _mandates(promised: Any, moment: Moment) -> Iterator[str]:
    if not same_rows(promised, found := list(_known("then.mandates", moment.facts.mandates))):
        yield f"mandates are {found}, promised {promised}"


def _tickets(promised: Any, moment: Moment) -> Iterator[str]:
    found = list(_known("then.tickets", moment.facts.tickets))
    if not (has_rows(promised, found) if promised else not found):
        yield f"tickets are {found}, promised {promised}"


def _audit(promised: Any, moment: Moment) -> Iterator[str]:
    found = set(_known("then.audit", moment.facts.audit))
    for kind in promised:
        if kind not in found:
            yield f"no {kind} in the audit trail, which has {sorted(found)}"


def _grants(promised: Any, moment: Moment) -> Iterator[str]:
    grants = _known("then.grants", moment.facts.grants)
    for person, rows in promised.items():
        if not same_rows(rows, found := list(grants.get(person, ()))):
            yield f"grants of {person} are {found}, promised {rows}"


def _outbox(promised: Any, moment: Moment) -> Iterator[str]:
    for person, patterns in promised.items():
        text = joined([s for s in moment.sent if s.person == person])
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if not re.search(pattern, text, re.DOTALL):
                yield f"{person} was never told /{pattern}/"


def _outbox_count(promised: Any, moment: Moment) -> Iterator[str]:
    if "elders_with_due" in promised:
        elders = _known("then.outbox_count.elders_with_due", moment.facts.more.get("elders_with_due"))
        promised = {person: {".": promised.get("each", 1)} for person in elders}
    for person, counts in promised.items():
        for pattern, wanted in counts.items():
            count = _count(moment, person, pattern)
            if not holds(wanted, count):
                yield f"{person} was told /{pattern}/ {count} times, promised {wanted}"


def _count(moment: Moment, person: str, pattern: str) -> int:
    return sum(1 for s in moment.sent if s.person == person and re.search(pattern, s.text, re.DOTALL))


def _prefs(promised: Any, moment: Moment) -> Iterator[str]:
    found = _known("then.prefs", moment.facts.prefs)
    if not promised and any(found.values()):
        yield f"prefs are {dict(found)}, promised none"
    for person, wanted in promised.items():
        if not holds(wanted, found.get(person, {})):
            yield f"prefs of {person} are {found.get(person, {})}, promised {wanted}"


def _state(promised: Any, moment: Moment) -> Iterator[str]:
    if not holds(promised, found := _known("then.state", moment.facts.state)):
        yield f"state is {found}, promised {promised}"


def _receipts(promised: Any, moment: Moment) -> Iterator[str]:
    found = list(_known("then.receipts", moment.facts.more.get("receipts")))
    # How a receipt is laid out is a matter of rendering: looked at only where the world has a renderer that tells.
    told = {key for row in found for key in row}
    rows = [{k: v for k, v in row.items() if k != "layout" or "layout" in told} for row in promised]
    if not has_rows(rows, found):
        yield f"receipts are {found}, promised {promised}"


def _receipt_check(promised: Any, moment: Moment) -> Iterator[str]:
    """Of every payment an earlier talk left written off."""
    verdicts = _known("then.receipt_check", moment.facts.more.get("receipt_check"))
    for script, wanted in promised.items():
        found = [verdicts.get(intent) for intent in moment.written_off.get(script, ())]
        if not found or any(verdict != wanted for verdict in found):
            yield f"the receipts of {script} {found or 'were never given'}, promised {wanted}"


def _plain(key: str) -> Callable[[Any, Moment], Iterator[str]]:
    def check(promised: Any, moment: Moment) -> Iterator[str]:
        if not holds(promised, found := _known(f"then.{key}", moment.facts.more.get(key))):
            yield f"{key} is {found}, promised {promised}"

    return check


def _hung_up(promised: Any, hung_up: str) -> Iterator[str]:
    fine = hung_up != promised.removeprefix("not_") if promised.startswith("not_") else hung_up == promised
    if not fine:
        yield f"hung up by {hung_up}, promised {promised}"


_CHECKS: Mapping[str, Callable[[Any, Moment], Iterator[str]]] = {
    **{key: _movements(key) for key in (*_RECORDS, "captures_new")},
    "tickets": _tickets,
    "mandates": _mandates,
    "audit": _audit,
    "grants": _grants,
    "outbox": _outbox,
    "outbox_count": _outbox_count,
    "prefs": _prefs,
    "state": _state,
    "receipts": _receipts,
    "receipt_check": _receipt_check,
}


def differences(one: Mapping[str, Sequence[Any]], other: Mapping[str, Sequence[Any]]) -> list[str]:
    """Where the money of two runs differs."""
    return [
        f"{key}: {list(one.get(key, ()))} in the plain run, {list(other.get(key, ()))} in this one"
        for key in sorted(set(one) | set(other))
        if list(one.get(key, ())) != list(other.get(key, ()))
    ]
