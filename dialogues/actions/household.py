"""All bills of one home in one talk: what each owes, what became of each, and what else falls due."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

from data.clock import shanghai
from data.ids import AccountId, ActId, PaymentId, PersonId
from data.store.engine import Tx
from dialogues.actions.bills import quote_slots
from dialogues.actions.homes import (
    household_of,
)
from dialogues.actions.joint_list import A_BREATH, MOST_BILLS, Bill, in_words, named
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from payments.authority import accounts
from payments.quoting import Quoted
from payments.states import open_at
from payments.till import PaymentView

_SOON = timedelta(days=10)
_ONE_TALK = timedelta(hours=12)
_NOT_WAITED_FOR = 2.0  # seconds: nobody asked for this, so nobody waits for it


# --- what each owes -----------------------------------------------------------------------------------------------


@outside(
    "action_joint_quotes",
    "told trouble",
    reads="joint_accounts",
    writes="joint_bills trouble",
    reads_others=True,
)
async def joint_quotes(room: Outside, slots: Arguments) -> Result:
    """Asks all billers at once; one that does not answer holds up no other."""
    asked = [AccountId(account) for account in slots["joint_accounts"]]
    bills = await asyncio.gather(*(_bill(room, account) for account in asked))
    return Result("told", {"joint_bills": bills})


async def _bill(room: Outside, account: AccountId) -> Bill:
    answer = await room.quoting.quote(room.person, account)
    if not isinstance(answer, Quoted):
        return {"account": account, "trouble": str(answer.reason)}
    return {
        "account": account,
        "utility": answer.account.utility.value,
        "tail": answer.account.tail,
        **quote_slots(answer.quote),
    }


# --- what became of it ----------------------------------------------------------------------------------------------


@inside(
    "action_joint_results",
    "all_paid some_failed open",
    reads="payment",
    writes="joint_failed joint_failed_list",
)
def joint_results(room: Inside, slots: Arguments) -> Result:
    """How the whole act ended, line by line; what failed may be tried again, and nothing else is."""
    views = act_lines(room, room.till.outcome(room.tx, PaymentId(slots["payment"])).act)
    failed = [v for v in views if v.told == "refused"]
    if failed:
        names = [bill_name(room.catalogue, v.utility, room.locale) for v in failed]
        told = ("、" if room.locale == "zh" else ", ").join(dict.fromkeys(names))
        return Result("some_failed", {"joint_failed": [v.account for v in failed], "joint_failed_list": told})
    return Result("all_paid" if all(v.told == "paid" for v in views) else "open")


def act_lines(room: Inside, act: ActId) -> list[PaymentView]:
    """Every payment of an act as it may be told now."""
    return [room.till.outcome(room.tx, payment) for payment in room.till.act(room.tx, act).payments]


@inside(
    "action_joint_again",
    "again",
    reads="joint_failed",
    writes="joint_accounts joint_left joint_next payment news reason",
)
def joint_again(room: Inside, slots: Arguments) -> Result:
    """Only what failed, asked for anew: what was paid is not in it."""
    gone: dict[str, Any] = {
        "joint_left": [],
        "joint_next": None,
        "payment": None,
        "news": None,
        "reason": None,
    }
    return Result("again", gone | {"joint_accounts": list(slots["joint_failed"])})


# --- other bills of the same home, named once -----------------------------------------------------------------------


@outside(
    "action_others_due",
    "some none trouble",
    reads="account_id joint_accounts others_at",
    writes="others_bills others_at",
    reads_others=True,
)
async def others_due(room: Outside, slots: Arguments) -> Result:
    """Bills of the same home that fall due soon. Asked for once in a talk, and never waited for long."""
    now = room.clock.now()
    told = slots.get("others_at")
    if told and now - datetime.fromisoformat(told) < _ONE_TALK:
        return Result("none")
    paid = {slots.get("account_id"), *(slots.get("joint_accounts") or [])}
    others = await room.store.run(lambda tx: _others_of(tx, room.person, paid, now))
    try:
        async with asyncio.timeout(_NOT_WAITED_FOR):
            bills = await asyncio.gather(*(_bill(room, account) for account in others))
    except TimeoutError:
        return Result("none")
    soon = [bill for bill in bills if _falls_due(bill, shanghai(now).date())]
    if not soon:
        return Result("none")
    return Result("some", {"others_bills": soon, "others_at": now.isoformat()})


def _others_of(tx: Tx, person: PersonId, paid: set[Any], now: datetime) -> list[AccountId]:
    known = accounts.known_accounts(tx, person, now)
    homes = {household_of(k) for k in known if k.account.id in paid}
    busy = {k.account.id for k in known if open_at(tx, k.account.id)}
    same = [k.account.id for k in known if household_of(k) in homes and k.account.id not in paid | busy]
    return same[:MOST_BILLS]


def _falls_due(bill: Bill, today: date) -> bool:
    day = bill.get("due_date")
    return bool(bill.get("due") and day and date.fromisoformat(day) - today <= _SOON)


@inside("action_others_words", "told gone", reads="others_bills", writes="others_list others_bills")
def others_words(room: Inside, slots: Arguments) -> Result:
    """Those bills as a few words, in the language of the talk."""
    bills = named(room, slots["others_bills"])[:A_BREATH]
    if not bills:
        return Result("gone", {"others_bills": None})
    words = ("；" if room.locale == "zh" else "; ").join(
        in_words(room, "utter_others_line", b) for b in bills
    )
    return Result("told", {"others_list": words, "others_bills": None})


ACTIONS = (joint_quotes, joint_results, joint_again, others_due, others_words)
