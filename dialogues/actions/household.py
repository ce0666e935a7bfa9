"""All bills of one home in one talk: which are meant, what each owes, what is read back, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from data.clock import shanghai
from data.ids import AccountId, ActId, PaymentId, PersonId, QuoteId
from data.model import Exactness, Role, Utility
from data.money import Money
from data.store.engine import Tx
from dialogues import responses
from dialogues.actions.account import is_meant, nobody_we_may_see, under_one_roof
from dialogues.actions.bills import quote_slots
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from dialogues.model import Say
from payments.authority import accounts, people
from payments.authority.accounts import KnownAccount
from payments.quoting import Quoted, amount_fits, kept_quote
from payments.states import open_at
from payments.till import PaymentView

Bill = dict[str, Any]

_MOST_BILLS = 8  # more than a household has; beyond it nobody listens
_A_BREATH = 3  # items a telephone names between two stops
_SOON = timedelta(days=10)
_ONE_TALK = timedelta(hours=12)
_NOT_WAITED_FOR = 2.0  # seconds: nobody asked for this, so nobody waits for it
_HOMES = dict.fromkeys(("father", "mother", "parent"), "parents")
_ONE_HOME = {"self", "husband", "wife", "spouse", ""}


# --- which bills are meant ----------------------------------------------------------------------------------------


@inside(
    "action_joint_accounts",
    "some none no_grant",
    reads="joint_kinds relation person_name",
    writes="joint_accounts joint_plan joint_left",
)
def joint_accounts(room: Inside, slots: Arguments) -> Result:
    """The saved accounts of the home that is meant, of the kinds that were named."""
    if nobody_we_may_see(room, slots):
        return Result("no_grant")
    kinds = slots.get("joint_kinds")
    known = [k for k in _of_the_home(room, slots) if not kinds or k.account.utility.value in kinds]
    if not known:
        return Result("none")
    chosen = [k.account.id for k in _in_order(known, kinds)][:_MOST_BILLS]
    return Result("some", {"joint_accounts": chosen, "joint_plan": {}, "joint_left": []})


def _of_the_home(room: Inside, slots: Arguments) -> list[KnownAccount]:
    known = accounts.known_accounts(room.tx, room.person, room.now)
    if slots.get("relation") or slots.get("person_name"):
        return [k for k in known if is_meant(k, slots) or under_one_roof(k, slots)]
    if people.person(room.tx, room.person).role is Role.HELPER:
        return []  # 家里的 of somebody who serves thirty homes names none of them
    return [k for k in known if k.relation in _ONE_HOME] or known


def _in_order(known: list[KnownAccount], kinds: Iterable[str] | None) -> list[KnownAccount]:
    """Meters that are filled up come last: what is due is told first."""
    order = list(kinds or (kind.value for kind in Utility))
    order = [kind for kind in order if kind != Utility.ELECTRICITY] + [Utility.ELECTRICITY.value]
    return sorted(known, key=lambda k: order.index(k.account.utility.value))


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
    # A rule is told by the day since which it is so (late_fee.electricity.resident@1996-10-08).
    rules = [x.rule_version.rpartition("@")[2] for x in answer.quote.lines if x.kind == "late_fee"]
    return {
        "account": account,
        "utility": answer.account.utility.value,
        "tail": answer.account.tail,
        "late_rule": next(filter(None, rules), None),
        **quote_slots(answer.quote),
    }


# --- what is to be paid, read back ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Wishes:
    """What is to be paid so far: amounts named for an account, and accounts left out."""

    bills: list[Bill]
    plan: dict[str, int]
    left: list[str]

    def fen(self, bill: Bill) -> int:
        """What would be paid at this account; 0 when nothing."""
        if bill["account"] in self.left or "quote" not in bill:
            return 0
        return int(self.plan.get(bill["account"], 0 if bill["prepaid"] else bill["due"]))

    def kept(self) -> dict[str, Any]:
        return {"joint_plan": self.plan, "joint_left": self.left, "joint_change": None}


@inside(
    "action_joint_list",
    "payable nothing gone how_much rule exact fetch unknown_kind",
    reads="joint_bills joint_accounts joint_plan joint_left joint_change joint_asked joint_amount",
    writes="joint_accounts joint_plan joint_left joint_change joint_asked joint_balance joint_amount joint_wishes "
    "joint_list joint_notes joint_total joint_usual bill_name least most step due",
)
def joint_list(room: Inside, slots: Arguments) -> Result:
    """Everything that is to be paid with one total, after what was just added or taken off."""
    wishes = _Wishes(
        _named(room, slots["joint_bills"]),
        dict(slots.get("joint_plan") or {}),
        list(slots.get("joint_left") or []),
    )
    answered = {"joint_asked": None, "joint_amount": None}
    if not wishes.bills:
        return Result("gone", wishes.kept() | answered)
    changes = _changes(slots)
    problems = [p for one in changes if (p := _changed(room, wishes, one, slots)) is not None]
    if problems:
        return Result(problems[0].outcome, wishes.kept() | answered | dict(problems[0].slots))
    return _read_back(room, wishes, answered, told_before=bool(changes))


def _changes(slots: Arguments) -> list[dict[str, Any]]:
    asked, amount = slots.get("joint_asked"), slots.get("joint_amount")
    if asked and isinstance(amount, int):
        return [{"do": "add", "account": asked, "fen": amount}]
    return list(slots.get("joint_change") or [])


def _changed(room: Inside, wishes: _Wishes, change: dict[str, Any], slots: Arguments) -> Result | None:
    """Takes one change into the wishes; a result when something has to be asked or said about it first."""
    bills = [bill for bill in wishes.bills if "quote" in bill and _fits(bill, change)]
    kind = change.get("kind")
    if not bills:
        held = any(bill.get("utility") == kind for bill in wishes.bills)
        return None if held or not kind or change["do"] == "drop" else _fetched(room, wishes, change, slots)
    if change["do"] == "drop":
        wishes.left += [b["account"] for b in bills if b["account"] not in wishes.left]
        return None
    if change["fen"] is None and bills[0]["prepaid"] and not wishes.plan.get(bills[0]["account"]):
        asked = {"joint_asked": bills[0]["account"], "joint_balance": bills[0]["balance"]}
        return Result("how_much", asked | {"bill_name": bills[0]["bill_name"]})
    return _added(room, wishes, bills[0], change["fen"])


def _fits(bill: Bill, change: dict[str, Any]) -> bool:
    if change.get("account"):
        return bool(bill["account"] == change["account"])
    return bool(bill["prepaid"] if change["kind"] is None else bill["utility"] == change["kind"])


def _added(room: Inside, wishes: _Wishes, bill: Bill, fen: int | None) -> Result | None:
    wishes.left = [account for account in wishes.left if account != bill["account"]]
    if fen is None:
        return None
    kept = kept_quote(room.tx, QuoteId(bill["quote"]))
    assert kept is not None, "the quote was kept when it was told"
    if amount_fits(Money(fen), kept.quote):
        wishes.plan[bill["account"]] = fen
        return None
    rule = kept.quote.rule
    if rule.exactness is Exactness.EXACT:
        return Result("exact", {"bill_name": bill["bill_name"], "due": kept.quote.due.fen})
    limits = {"least": rule.minimum.fen, "most": rule.maximum.fen, "step": rule.step.fen}
    return Result("rule", limits | {"bill_name": bill["bill_name"]})


def _fetched(room: Inside, wishes: _Wishes, change: dict[str, Any], slots: Arguments) -> Result:
    """A bill that was not among those asked for: its biller is asked, and the list is made anew."""
    kind = Utility(change["kind"])
    known = accounts.known_accounts(room.tx, room.person, room.now, kind)
    held = list(slots["joint_accounts"])
    new = [k.account.id for k in known if k.account.id not in held]
    if not new or len(held) >= _MOST_BILLS:
        return Result("unknown_kind", {"bill_name": bill_name(room.catalogue, kind, room.locale)})
    if change["fen"] is not None:
        wishes.plan[new[0]] = change["fen"]
    return Result("fetch", {"joint_accounts": [*held, new[0]], "joint_plan": wishes.plan})


def _read_back(room: Inside, wishes: _Wishes, answered: dict[str, Any], told_before: bool) -> Result:
    open_now = {b["account"] for b in wishes.bills if room.till.open_payment(room.tx, b["account"])}
    paid = [b for b in wishes.bills if b["account"] not in open_now and wishes.fen(b) > 0]
    listed = [b for b in wishes.bills if b in paid or _worth_listing(b, wishes, open_now)]
    notes = [_note(room, b, open_now) for b in wishes.bills if b not in listed]
    total = sum(wishes.fen(b) for b in paid)
    lines = [_line(room, b, wishes, len({x["holder"] for x in listed}) > 1) for b in listed]
    slots = wishes.kept() | {
        "joint_wishes": [[b["account"], b["quote"], wishes.fen(b)] for b in paid],
        "joint_list": _together(room, lines if paid else lines + notes),
        "joint_notes": None if told_before or not paid else _together(room, notes) or None,
        "joint_total": total or None,
        "joint_usual": None,
        "bill_name": ("、" if room.locale == "zh" else ", ").join(b["bill_name"] for b in paid) or None,
    }
    return Result("payable" if paid else "nothing", answered | slots)


def _worth_listing(bill: Bill, wishes: _Wishes, open_now: set[str]) -> bool:
    """Meters with what is left on them, and what was taken off, stand in the list without being paid."""
    if "quote" not in bill or bill["account"] in open_now:
        return False
    return bool(bill["prepaid"] or (bill["due"] and bill["account"] in wishes.left))


# --- the words of a line --------------------------------------------------------------------------------------------


def _named(room: Inside, bills: Iterable[Bill]) -> list[Bill]:
    """The bills with what people call them. One that its biller did not tell is named by our own account, and an account
    that may not be seen any more is left out."""
    known = {k.account.id: k.account for k in accounts.known_accounts(room.tx, room.person, room.now)}
    named = []
    for bill in bills:
        account = known.get(AccountId(bill["account"]))
        if account is not None:
            name = bill_name(room.catalogue, account.utility, room.locale)
            named.append(bill | {"utility": account.utility.value, "tail": account.tail, "bill_name": name})
    return named


def _line(room: Inside, bill: Bill, wishes: _Wishes, several_holders: bool) -> str:
    fen = wishes.fen(bill)
    which = "topped_up" if bill["prepaid"] else "due"
    if not fen:
        which = "meter" if bill["prepaid"] else "left"
    values = bill | {
        "amount": fen or bill["due"],
        "who": bill["holder"] if several_holders else None,
        "late_fee": bill["late_fee"] if fen == bill["due"] else None,
    }
    return _words(room, f"utter_joint_line_{which}", values)


def _note(room: Inside, bill: Bill, open_now: set[str]) -> str:
    """Why a bill of the home is not in the list of those to be paid."""
    if bill["account"] in open_now:
        return _words(room, "utter_joint_note_unfinished", bill)
    trouble = bill.get("trouble") or "nothing_due"
    return _words(room, "utter_joint_note", bill | {"trouble": trouble})


def _words(room: Inside, response: str, values: dict[str, Any]) -> str:
    said = Say(response, values)
    return responses.render(room.release, said, room.conversation, room.facts)[0].text


def _together(room: Inside, lines: list[str]) -> str:
    """On a screen a line each; on the telephone three to a breath; in large print no more lines than can be seen."""
    comma, stop = ("，", "。") if room.locale == "zh" else (", ", ". ")
    if room.facts.spoken:
        breaths = [lines[n : n + _A_BREATH] for n in range(0, len(lines), _A_BREATH)]
        return stop.join(comma.join(breath) for breath in breaths)
    crowded = room.conversation.preferences.large and len(lines) > _A_BREATH
    if not crowded:
        return "\n".join(lines)
    return "\n".join(comma.join(lines[n : n + _A_BREATH]) for n in range(0, len(lines), _A_BREATH))


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
    homes = {_home(k) for k in known if k.account.id in paid}
    busy = {k.account.id for k in known if open_at(tx, k.account.id)}
    same = [k.account.id for k in known if _home(k) in homes and k.account.id not in paid | busy]
    return same[:_MOST_BILLS]


def _home(known: KnownAccount) -> str:
    if known.relation == "elder_served":
        return known.owner_name_masked
    return "own" if known.relation in _ONE_HOME else _HOMES.get(known.relation, known.relation)


def _falls_due(bill: Bill, today: date) -> bool:
    day = bill.get("due_date")
    return bool(bill.get("due") and day and date.fromisoformat(day) - today <= _SOON)


@inside("action_others_words", "told gone", reads="others_bills", writes="others_list others_bills")
def others_words(room: Inside, slots: Arguments) -> Result:
    """Those bills as a few words, in the language of the talk."""
    bills = _named(room, slots["others_bills"])[:_A_BREATH]
    if not bills:
        return Result("gone", {"others_bills": None})
    words = ("；" if room.locale == "zh" else "; ").join(_words(room, "utter_others_line", b) for b in bills)
    return Result("told", {"others_list": words, "others_bills": None})


ACTIONS = (joint_accounts, joint_quotes, joint_list, joint_results, joint_again, others_due, others_words)
