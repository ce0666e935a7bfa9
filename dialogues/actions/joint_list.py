"""The joint list while it is read back: what is to be paid with one total, and what is put on it or taken off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data.ids import AccountId, QuoteId
from data.model import Exactness, Utility
from data.money import Money
from dialogues import responses
from dialogues.actions.choosing import by_keys
from dialogues.actions.homes import household_of
from dialogues.actions.ports import Arguments, Inside, Result, bill_name, inside
from dialogues.model import Say
from payments.authority import accounts
from payments.authority.accounts import KnownAccount
from payments.purse import choose_purse
from payments.quoting import amount_fits, kept_quote

Bill = dict[str, Any]

MOST_BILLS = 8  # more than a household has; beyond it nobody listens
A_BREATH = 3  # items a telephone names between two stops
_DONE = "done"


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

    def pays(self, account: str) -> bool:
        """Whether this account is among those to be paid."""
        return any(bill["account"] == account and self.fen(bill) > 0 for bill in self.bills)

    def kept(self) -> dict[str, Any]:
        return {"joint_plan": self.plan, "joint_left": self.left, "joint_change": None}


@inside(
    "action_joint_list",
    "payable nothing gone how_much rule exact fetch unknown_kind which",
    reads="joint_bills joint_accounts joint_plan joint_left joint_change joint_asked joint_amount joint_pick joint_page",
    writes="joint_accounts joint_plan joint_left joint_change joint_asked joint_balance joint_amount joint_wishes "
    "joint_list joint_notes joint_late joint_total joint_usual bill_name least most step due joint_pick joint_page "
    "joint_choices joint_keys",
)
def joint_list(room: Inside, slots: Arguments) -> Result:
    """Everything that is to be paid with one total, after what was just added or taken off."""
    wishes = _Wishes(
        named(room, slots["joint_bills"]),
        dict(slots.get("joint_plan") or {}),
        list(slots.get("joint_left") or []),
    )
    answered = {"joint_asked": None, "joint_amount": None, "joint_pick": None}
    if not wishes.bills:
        return Result("gone", wishes.kept() | answered)
    changes = _changes(wishes, slots)
    if any(one["do"] == "choose" for one in changes):
        return Result("which", wishes.kept() | answered | _to_choose_from(room, wishes, slots))
    problems = [p for one in changes if (p := _changed(room, wishes, one, slots)) is not None]
    if problems:
        return Result(problems[0].outcome, wishes.kept() | answered | dict(problems[0].slots))
    return _read_back(room, wishes, answered, told_before=bool(changes or slots.get("joint_pick")))


def _changes(wishes: _Wishes, slots: Arguments) -> list[dict[str, Any]]:
    asked, amount, pick = slots.get("joint_asked"), slots.get("joint_amount"), slots.get("joint_pick")
    if asked and isinstance(amount, int):
        return [{"do": "add", "account": asked, "fen": amount}]
    if pick == "more":
        return [{"do": "choose"}]
    if pick and pick != _DONE:
        return [{"do": "drop" if wishes.pays(pick) else "add", "account": pick, "fen": None}]
    return [_settled(wishes, one) for one in slots.get("joint_change") or []]


def _settled(wishes: _Wishes, change: dict[str, Any]) -> dict[str, Any]:
    """水费, said when asked which one to change: off when it is on the list, on when it is not."""
    if change["do"] != "toggle":
        return change
    pays = any(wishes.pays(bill["account"]) for bill in wishes.bills if _fits(bill, change))
    return change | {"do": "drop" if pays else "add"}


# --- one change -----------------------------------------------------------------------------------------------------


def _changed(room: Inside, wishes: _Wishes, change: dict[str, Any], slots: Arguments) -> Result | None:
    """Takes one change into the wishes; a result when something has to be asked or said about it first."""
    if change["do"] == "only":
        _keep_only(wishes, change["kinds"])
        return None
    bills = [bill for bill in wishes.bills if "quote" in bill and _fits(bill, change)]
    if not bills:
        held = any(_fits(bill, change) for bill in wishes.bills)
        return None if held or change["do"] == "drop" else _fetched(room, wishes, change, slots)
    if change["do"] == "drop":
        wishes.left += [b["account"] for b in bills if b["account"] not in wishes.left]
        return None
    if change["fen"] is None and bills[0]["prepaid"] and not wishes.plan.get(bills[0]["account"]):
        asked = {"joint_asked": bills[0]["account"], "joint_balance": bills[0]["balance"]}
        return Result("how_much", asked | {"bill_name": bills[0]["bill_name"]})
    return _added(room, wishes, bills[0], change["fen"])


def _keep_only(wishes: _Wishes, kinds: list[str]) -> None:
    """就交煤气: everything else is left out; when nothing of that kind is on the list, nothing changes."""
    kept = {bill["account"] for bill in wishes.bills if bill.get("utility") in kinds and "quote" in bill}
    if kept:
        wishes.left = [bill["account"] for bill in wishes.bills if bill["account"] not in kept]


def _fits(bill: Bill, change: dict[str, Any]) -> bool:
    if change.get("account"):
        return bool(bill["account"] == change["account"])
    return bool(bill.get("prepaid") if change["kind"] is None else bill.get("utility") == change["kind"])


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


def _fetched(room: Inside, wishes: _Wishes, change: dict[str, Any], slots: Arguments) -> Result | None:
    """A bill that was not among those asked for: its biller is asked, and the change is made on the new list."""
    held = list(slots["joint_accounts"])
    if not change.get("account") and change["kind"] is None:
        return None
    new = [
        k
        for k in _not_listed(room, held)
        if change.get("account") == k.account.id or change.get("kind") == k.account.utility.value
    ]
    if not new:
        kind = change.get("kind")
        name = bill_name(room.catalogue, Utility(kind), room.locale) if kind else None
        return Result("unknown_kind", {"bill_name": name}) if name else None
    return Result("fetch", {"joint_accounts": [*held, new[0].account.id], "joint_change": [change]})


def _not_listed(room: Inside, held: Iterable[str]) -> list[KnownAccount]:
    """Accounts he may pay that are not on the list; those of the same home first."""
    known = accounts.known_accounts(room.tx, room.person, room.now)
    listed = set(held)
    same = {household_of(k) for k in known if k.account.id in listed}
    others = [k for k in known if k.account.id not in listed]
    return sorted(others, key=lambda k: household_of(k) not in same)


# --- choosing what to change ----------------------------------------------------------------------------------------


def _to_choose_from(room: Inside, wishes: _Wishes, slots: Arguments) -> dict[str, Any]:
    """改一改: each bill of the list, and each other one of the same home, as a word, a button and a key."""
    words = {
        b["account"]: _choice(room, wishes, b)
        for b in wishes.bills
        if "quote" in b and (b["due"] or b["prepaid"])
    }
    held = list(slots["joint_accounts"])
    same = {
        household_of(k)
        for k in accounts.known_accounts(room.tx, room.person, room.now)
        if k.account.id in held
    }
    for known in _not_listed(room, held):
        if household_of(known) in same and len(held) < MOST_BILLS:
            words[known.account.id] = _choice(room, wishes, _as_bill(room, known))
    page = int(slots.get("joint_page") or 0)
    page = page + 1 if slots.get("joint_pick") == "more" else 0
    told, keys = by_keys(words, room.locale, page)
    told[_DONE] = [in_words(room, "utter_joint_done", {})]
    return {"joint_choices": told, "joint_keys": keys, "joint_page": page}


def _as_bill(room: Inside, known: KnownAccount) -> Bill:
    name = bill_name(room.catalogue, known.account.utility, room.locale)
    return {"account": known.account.id, "bill_name": name, "tail": known.account.tail}


def _choice(room: Inside, wishes: _Wishes, bill: Bill) -> list[str]:
    response = "utter_joint_take_off" if wishes.pays(bill["account"]) else "utter_joint_put_on"
    return [in_words(room, response, bill), f"{bill['bill_name']} {bill['tail']}", bill["tail"]]


# --- reading it back ------------------------------------------------------------------------------------------------


def _read_back(room: Inside, wishes: _Wishes, answered: dict[str, Any], told_before: bool) -> Result:
    open_now = {b["account"] for b in wishes.bills if room.till.open_payment(room.tx, b["account"])}
    paid = [b for b in wishes.bills if b["account"] not in open_now and wishes.fen(b) > 0]
    listed = [b for b in wishes.bills if b in paid or _worth_listing(b, wishes, open_now)]
    notes = [_note(room, b, open_now) for b in wishes.bills if b not in listed]
    late = [in_words(room, "utter_joint_late", b) for b in paid if b["late_fee"]]
    total = sum(wishes.fen(b) for b in paid)
    lines = [_line(room, b, wishes, _names_holders(room, listed)) for b in listed]
    slots = wishes.kept() | {
        "joint_wishes": [[b["account"], b["quote"], wishes.fen(b)] for b in paid],
        "joint_list": _together(room, lines if paid else lines + notes),
        "joint_notes": None if told_before or not paid else _together(room, notes) or None,
        "joint_late": "\n".join(late) or None,
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


def named(room: Inside, bills: Iterable[Bill]) -> list[Bill]:
    """The bills with what people call them. One that its biller did not tell is named by our own account, and an account
    that may not be seen any more is left out."""
    known = {k.account.id: k.account for k in accounts.known_accounts(room.tx, room.person, room.now)}
    found = []
    for bill in bills:
        account = known.get(AccountId(bill["account"]))
        if account is not None:
            name = bill_name(room.catalogue, account.utility, room.locale)
            found.append(bill | {"utility": account.utility.value, "tail": account.tail, "bill_name": name})
    return found


def _names_holders(room: Inside, bills: list[Bill]) -> bool:
    """Of bills of several people each is told with its holder; by ear only where two of one kind would sound alike."""
    several = len({bill["holder"] for bill in bills}) > 1
    alike = len({bill["utility"] for bill in bills}) < len(bills)
    return several and (alike or not room.facts.spoken)


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
    line = in_words(room, f"utter_joint_line_{which}", values)
    if values["late_fee"] is None or not fen:
        return line
    return line + ("" if room.facts.spoken else "\n") + in_words(room, "utter_joint_line_late", values)


def _note(room: Inside, bill: Bill, open_now: set[str]) -> str:
    """Why a bill of the home is not in the list of those to be paid."""
    if bill["account"] in open_now:
        return in_words(room, "utter_joint_note_unfinished", bill)
    trouble = bill.get("trouble") or "nothing_due"
    return in_words(room, "utter_joint_note", bill | {"trouble": trouble})


def in_words(room: Inside, response: str, values: dict[str, Any]) -> str:
    """A response as a piece of a longer sentence."""
    said = Say(response, values)
    return responses.render(room.release, said, room.conversation, room.facts)[0].text


def _together(room: Inside, lines: list[str]) -> str:
    """On a screen a line each; on the telephone three to a breath; in large print no more lines than can be seen."""
    comma, stop = ("，", "。") if room.locale == "zh" else (", ", ". ")
    if room.facts.spoken:
        notes = [line.rstrip("。.") for line in lines if line.endswith(("。", "."))]  # sentences of their own
        items = [line for line in lines if not line.endswith(("。", "."))]
        breaths = [comma.join(items[n : n + A_BREATH]) for n in range(0, len(items), A_BREATH)]
        return stop.join([*breaths, *notes])
    seen = sum(line.count("\n") + 1 for line in lines)
    if not (room.conversation.preferences.large and seen > A_BREATH):
        return "\n".join(lines)
    flat = [line.replace("\n", comma) for line in lines]
    return "\n".join(comma.join(flat[n : n + A_BREATH]) for n in range(0, len(flat), A_BREATH))


@inside(
    "action_joint_owed",
    "told nothing gone",
    reads="joint_bills",
    writes="joint_list joint_total joint_payable",
)
def joint_owed(room: Inside, slots: Arguments) -> Result:
    """还欠多少: every bill of the home with what is due or left on it; only looking."""
    wishes = _Wishes(named(room, slots["joint_bills"]), {}, [])
    if not wishes.bills:
        return Result("gone")
    several = _names_holders(room, [b for b in wishes.bills if "quote" in b])
    lines = [_owed(room, bill, wishes, several) for bill in wishes.bills]
    total = sum(wishes.fen(bill) for bill in wishes.bills)
    due = [AccountId(bill["account"]) for bill in wishes.bills if wishes.fen(bill)]
    told = {
        "joint_list": _together(room, lines),
        "joint_total": total or None,
        "joint_payable": any(_may_pay(room, account) for account in due),
    }
    return Result("told" if total else "nothing", told)


def _may_pay(room: Inside, account: AccountId) -> bool:
    """Whether somebody's money could be used for it: who may only look is offered nothing."""
    return choose_purse(room.tx, room.person, [account], room.facts.channel, "auto", room.now) is not None


def _owed(room: Inside, bill: Bill, wishes: _Wishes, several_holders: bool) -> str:
    if wishes.fen(bill):
        return _line(room, bill, wishes, several_holders)
    if bill.get("prepaid"):
        return in_words(
            room, "utter_joint_line_balance", bill | {"who": bill["holder"] if several_holders else None}
        )
    return _note(room, bill, set())


ACTIONS = (joint_list, joint_owed)
