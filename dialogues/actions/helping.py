"""A helper's round: whose bills are due this week, the most urgent first, and one reminder to each of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from data.catalogue import Catalogue
from data.clock import shanghai
from data.ids import PersonId
from data.model import May
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from dialogues import codes
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from payments.authority import access, accounts, people
from payments.authority.accounts import KnownAccount
from payments.quoting import Quoted, Trouble

REMINDER = "reminder"
_WEEK = timedelta(days=7)
_AT_ONCE = 3  # billers asked at the same time: thirty households at once would make them slow
_MOST_LINES = 6
_ROAD = {"zh": {"voice": "电话", "sms": "短信"}, "en": {"voice": "by telephone", "sms": "by text message"}}


@dataclass(frozen=True, slots=True)
class DueBill:
    """One bill of an elder that is due this week or late."""

    elder: PersonId
    name: str  # masked
    utility: str
    amount: Money
    day: date

    @property
    def kept(self) -> list[Any]:
        """As a slot holds it until the reminder is written in the elder's own language."""
        return [self.utility, self.amount.fen, self.day.isoformat()]


@outside(
    "action_elders_due",
    "some none nobody trouble",
    writes="due_elders due_list due_count trouble",
    reads_others=True,
)
async def elders_due(room: Outside, slots: Arguments) -> Result:
    """Asks the billers about everybody who lets this person see his bills; each read leaves its line in the audit."""
    now = room.clock.now()
    known = await room.store.run(lambda tx: _of_others(tx, room.person, now))
    if not known:
        return Result("nobody")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(one: KnownAccount) -> tuple[KnownAccount, Quoted | Trouble]:
        async with gate:
            return one, await room.quoting.quote(room.person, one.account.id)

    answers = await asyncio.gather(*map(ask, known))
    if all(isinstance(answer, Trouble) and answer.reason != "nothing_due" for _, answer in answers):
        return Result("trouble", {"trouble": "biller_down"})
    due = sorted(_due(room, answers, shanghai(now).date()), key=lambda bill: (bill.day, -bill.amount.fen))
    if not due:
        return Result("none", {"due_elders": None})
    return Result("some", _told(room, due, shanghai(now).date()))


def _of_others(tx: Tx, person: PersonId, at: datetime) -> list[KnownAccount]:
    """Accounts of those who gave this person leave, at this moment; nobody is listed for having been typed once."""
    standing = access.standing_of(tx, person, at)
    return [
        known
        for known in accounts.known_accounts(tx, person, at)
        if known.owner not in (None, person) and _by_grant(standing, known)
    ]


def _by_grant(standing: access.Standing, known: KnownAccount) -> bool:
    allowed = access.decide(standing, May.BILLS, known.account.id, known.owner)
    return allowed is not None and allowed.reason == "grant"


def _due(
    room: Outside, answers: Iterable[tuple[KnownAccount, Quoted | Trouble]], today: date
) -> Iterable[DueBill]:
    for known, answer in answers:
        if not isinstance(answer, Quoted) or known.owner is None:
            continue
        quote = answer.quote
        if quote.due and quote.due_date is not None and quote.due_date <= today + _WEEK:
            yield DueBill(
                known.owner, known.owner_name_masked, known.account.utility.value, quote.due, quote.due_date
            )


def _told(room: Outside, due: list[DueBill], today: date) -> dict[str, Any]:
    locale = room.locale
    lines = [f"{n}. {_line(room, bill, today)}" for n, bill in enumerate(due[:_MOST_LINES], start=1)]
    left = len(due) - _MOST_LINES
    if left > 0:
        lines.append(f"and {left} more" if locale == "en" else f"另外还有{left}笔")
    of_each: dict[str, list[list[Any]]] = {}
    for bill in due:
        of_each.setdefault(bill.elder, []).append(bill.kept)
    return {"due_elders": of_each, "due_list": "\n".join(lines), "due_count": len(due)}


def _line(room: Outside, bill: DueBill, today: date) -> str:
    late = (today - bill.day).days
    name = bill_name(room.catalogue, bill.utility, room.locale)
    if room.locale == "en":
        when = f"{late} days late" if late > 0 else f"due {bill.day:%d %B}"
        return f"{bill.name} {name} {bill.amount.yuan} yuan, {when}"
    when = f"已过期{late}天" if late > 0 else f"{bill.day.month}月{bill.day.day}日到期"
    return f"{bill.name}{name}{bill.amount}，{when}"


@inside("action_remind_elders", "sent before", reads="due_elders", writes="reminded reminded_how due_elders")
def remind_elders(room: Inside, slots: Arguments) -> Result:
    """One reminder a day to each who still lets this person look; how many by which road."""
    due: Mapping[str, list[list[Any]]] = slots.get("due_elders") or {}
    roads = [road for elder, bills in due.items() if (road := _remind(room, PersonId(elder), bills))]
    if not roads:
        return Result("before", {"due_elders": None})
    how = Counter(_road_word(road, room.locale) for road in roads)
    if room.locale == "en":
        told = ", ".join(f"{count} {word}" for word, count in how.items())
    else:
        told = "、".join(f"{word}{count}位" for word, count in how.items())
    return Result("sent", {"reminded": len(roads), "reminded_how": told, "due_elders": None})


def _remind(room: Inside, elder: PersonId, bills: list[list[Any]]) -> str | None:
    """The road the reminder takes; None when he was reminded today, or has taken his leave back meanwhile."""
    standing = access.standing_of(room.tx, room.person, room.now)
    granted = any(
        g.valid and g.giver == elder and g.verb is May.BILLS and g.taker == room.person
        for g in standing.grants
    )
    if not granted:
        return None
    locale = people.person(room.tx, elder).locale
    told = [_to_himself(room.catalogue, *bill, locale=locale) for bill in bills]
    new = letters.put_news(
        room.tx,
        id=f"{REMINDER}:{room.person}:{elder}:{shanghai(room.now).date()}",
        person=elder,
        kind=REMINDER,
        body={"who": room.person, "bill_list": ("; " if locale == "en" else "；").join(told)},
        at=room.now,
    )
    known = people.addresses_of(room.tx, elder)
    return next((a.channel for a in known if a.channel not in codes.ELSEWHERE), "sms") if new else None


def _to_himself(catalogue: Catalogue, utility: str, fen: int, due_on: str, *, locale: str) -> str:
    day, name, amount = date.fromisoformat(due_on), bill_name(catalogue, utility, locale), Money(fen)
    if locale == "en":
        return f"{name} {amount.yuan} yuan, due {day:%d %B}"
    return f"{name}{amount}，{day.month}月{day.day}日到期"


def _road_word(road: str, locale: str) -> str:
    return _ROAD[locale].get(road, "on their screens" if locale == "en" else "手机消息")


ACTIONS = (elders_due, remind_elders)
