"""Automatic payments in a talk: which one is meant, what is agreed already, stopped at once, and why it took money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from data.clock import shanghai
from data.ids import AccountId, PersonId
from data.model import May
from data.money import Money
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from dialogues.relations import relation_word
from payments import mandates
from payments.authority import access, people
from payments.purse import relation_of
from payments.quoting import Trouble
from payments.terms import Charge, MandateKind, MandateState, MandateView, Terms
from payments.till import PaymentView

_YEAR = timedelta(days=365)  # how long an agreement lasts when nobody says otherwise
_ALL = "all"
_TERMS = ("below", "amount", "per_month", "per_charge", "per_day", "ask_above")
_LATELY = timedelta(days=62)
# 我爸妈家 is either of them; an account of one roof may run under the other's name.
_COVERS = {
    "parents": {"father", "mother", "parent"},
    "mother": {"mother", "parent", "father"},
    "father": {"father", "parent", "mother"},
    "spouse": {"husband", "wife", "spouse"},
}


# --- which one is meant --------------------------------------------------------------------------------------------


def _meant(room: Inside, slots: Arguments, *, own: bool = False) -> list[MandateView]:
    """The live ones the words fit; all of them when a relation is named that fits none."""
    found = room.till.mandates_of(room.tx, room.person, room.now)
    if own:
        found = [m for m in found if m.payer == room.person]
    chosen = slots.get("mandate_choice")
    if chosen and chosen != _ALL:
        return [m for m in found if m.id == chosen]
    if utility := slots.get("utility"):
        found = [m for m in found if m.utility == utility]
    wanted = slots.get("relation")
    return [m for m in found if _is_of(room, m, wanted)] or found if wanted else found


def _is_of(room: Inside, mandate: MandateView, wanted: str) -> bool:
    if mandate.holder is None:
        return False
    return relation_of(room.tx, room.person, mandate.holder) in _COVERS.get(wanted, {wanted})


def _choices(room: Inside, found: Iterable[MandateView], *, all_of_them: bool = False) -> dict[str, Any]:
    """Several as a list to read and words to choose by."""
    zh, lines, words = room.locale == "zh", [], {}
    for n, mandate in enumerate(found, start=1):
        name = bill_name(room.catalogue, mandate.utility, room.locale)
        tail = f"尾号{mandate.tail}" if zh else f"ending {mandate.tail}"
        lines.append(f"{n}. {mandate.holder_masked} {name} {tail}")
        words[mandate.id] = [tail, mandate.tail, str(n), name]
    if all_of_them:
        words[_ALL] = ["都停", "全部", "都停了", "全停", "都"] if zh else ["all of them", "all", "both"]
    return {"mandate_choices": words, "mandate_list": "\n".join(lines)}


def _described(room: Inside, mandate: MandateView) -> dict[str, Any]:
    """The slots that say which automatic payment this is, without the account's number."""
    return {
        "mandate": mandate.id,
        "account_id": mandate.terms.account,
        "utility": mandate.utility.value,
        "bill_name": bill_name(room.catalogue, mandate.utility, room.locale),
        "biller_name": room.catalogue.biller(mandate.biller).name[room.locale],
        "tail": mandate.tail,
        "holder": mandate.holder_masked,
        "prepaid": mandate.terms.kind is MandateKind.TOP_UP,
        "who": _payer_word(room, mandate.payer),
    }


def _payer_word(room: Inside, payer: PersonId) -> str | None:
    """Whose money it is: 您女儿李敏; None when it is one's own."""
    if payer == room.person:
        return None
    word = relation_word(relation_of(room.tx, room.person, payer), room.locale)
    name = people.person(room.tx, payer).name
    if room.locale == "en":
        return f"your {word} {name}" if word else name
    return f"您{word}{name}" if word else name


@inside(
    "action_mandate_meant",
    "known several open",
    reads="changes utility relation account person_name account_id mandate_choice",
    writes="account_id utility mandate_choices mandate_list",
)
def mandate_meant(room: Inside, slots: Arguments) -> Result:
    """改成低于30充50 names no account: the one that is agreed is meant, or one is chosen."""
    named = any(slots.get(name) for name in ("relation", "account", "person_name", "account_id"))
    if not slots.get("changes") or named:
        return Result("open")
    found = _meant(room, slots, own=True)
    if len(found) == 1:
        account = {"account_id": found[0].terms.account, "utility": found[0].utility.value}
        return Result("known", account)
    return Result("several", _choices(room, found)) if found else Result("open")


# --- what is agreed already, and what shall be ----------------------------------------------------------------------


@inside(
    "action_standing_mandate",
    "free mine same anothers no_grant no_purse",
    reads="account_id changes replaces below amount per_month per_charge per_day ask_above",
    writes="replaces below amount per_month per_charge per_day ask_above who mandate_list",
)
def standing_mandate(room: Inside, slots: Arguments) -> Result:
    """One account has one: a new wish changes it, and what is not said anew stays as it was agreed."""
    account = AccountId(slots["account_id"])
    if access.may(room.tx, room.person, May.MANDATE, account, room.now) is None:
        return Result("no_grant")
    if not access.instruments_of(room.tx, room.person):
        return Result("no_purse")  # said before anything is asked, not after the last question
    live = room.till.mandate_at(room.tx, account, room.now)
    if live is None:
        return Result("free", _terms_before(room, account, slots))
    if live.payer != room.person:
        return Result("anothers", {"who": _payer_word(room, live.payer)})
    said = {name: slots[name] for name in _TERMS if slots.get(name) is not None}
    resting = live.state is not MandateState.ACTIVE
    if not said and not slots.get("changes") and not resting and not slots.get("replaces"):
        return Result("same", {"mandate_list": _line(room, live)})
    kept = _terms_slots(live.terms) if said or resting else {}
    return Result("mine", {**kept, **said, "replaces": live.id})


def _terms_before(room: Inside, account: AccountId, slots: Arguments) -> dict[str, Any]:
    """恢复自动缴费 after it was stopped: the terms of that time, put to the payer again."""
    if not slots.get("changes"):
        return {}
    ended = mandates.last_ended(room.tx, account)
    if ended is None or ended.payer != room.person:
        return {}
    return {k: v for k, v in _terms_slots(ended.terms).items() if slots.get(k) is None}


def _terms_slots(terms: Terms) -> dict[str, Any]:
    found: dict[str, Any] = {"per_month": terms.per_month.fen}
    if terms.kind is MandateKind.TOP_UP:
        found |= {"below": _fen(terms.below), "amount": _fen(terms.amount), "per_day": terms.per_day}
    else:
        found["per_charge"] = terms.per_charge.fen
    if terms.ask_above is not None:
        found["ask_above"] = terms.ask_above
    return found


def _fen(amount: Money | None) -> int | None:
    return None if amount is None else amount.fen


@inside("action_complete_terms", "complete", reads="prepaid per_charge per_month", writes="per_month until")
def complete_terms(room: Inside, slots: Arguments) -> Result:
    """What nobody need be asked: a year at most, and for a bill a month's cap as high as one bill's."""
    until = {"until": (shanghai(room.now).date() + _YEAR).isoformat()}
    if slots.get("prepaid") or slots.get("per_month") is not None:
        return Result("complete", until)
    return Result("complete", until | {"per_month": slots["per_charge"]})


@outside("action_last_year", "known unknown", reads="account_id", reads_others=True)
async def last_year(room: Outside, slots: Arguments) -> Result:
    """Last year's use, for the trial that is told before anybody agrees; it is never shown itself."""
    answer = await room.quoting.last_year(room.person, AccountId(slots["account_id"]))
    return Result("unknown" if isinstance(answer, Trouble) or not answer else "known")


# --- stopping and resting --------------------------------------------------------------------------------------------


@inside(
    "action_stop_mandate",
    "stopped all several none",
    reads="utility relation mandate_choice",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choices mandate_list",
)
def stop_mandate(room: Inside, slots: Arguments) -> Result:
    """At once and without any code; what it had begun and not sent is not sent (L3)."""
    found = _meant(room, slots)
    if not found:
        return Result("none")
    if len(found) > 1 and slots.get("mandate_choice") != _ALL:
        return Result("several", _choices(room, found, all_of_them=True))
    stopped = [m for m in found if room.till.stop_mandate(room.tx, m.id, room.person, room.now)]
    if not stopped:
        return Result("none")
    if len(stopped) > 1:
        return Result("all", {"mandate_list": _choices(room, stopped)["mandate_list"]})
    return Result("stopped", _described(room, stopped[0]))


@inside(
    "action_pause_mandate",
    "paused several none",
    reads="utility relation mandate_choice",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choices mandate_list",
)
def pause_mandate(room: Inside, slots: Arguments) -> Result:
    """Rests at once; going on is a new yes with the payer's code."""
    found = [m for m in _meant(room, slots) if m.state is MandateState.ACTIVE]
    if len(found) > 1:
        return Result("several", _choices(room, found))
    if not found or not room.till.pause_mandate(room.tx, found[0].id, room.person, room.now):
        return Result("none")
    return Result("paused", _described(room, found[0]))


# --- one payment the payer was asked about, and caps ------------------------------------------------------------------


@inside(
    "action_asked_debit",
    "asked nothing",
    reads="last_account",
    writes="debit account_id utility amount bill_name biller_name tail holder prepaid mandate who",
)
def asked_debit(room: Inside, slots: Arguments) -> Result:
    """The question that was just told, else the newest one that is open."""
    found = room.till.asked_about(room.tx, room.person)
    told = [q for q in found if q.account == slots.get("last_account")] or found
    live = room.till.mandate_at(room.tx, told[0].account, room.now) if told else None
    if live is None:
        return Result("nothing")
    facts = _described(room, live) | {"debit": told[0].debit, "amount": told[0].amount.fen}
    return Result("asked", facts)


@inside(
    "action_lower_caps",
    "lowered higher same too_low several none",
    reads="utility relation mandate_choice per_month per_charge",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choices mandate_list "
    "per_month per_charge amount changes",
)
def lower_caps(room: Inside, slots: Arguments) -> Result:
    """一个月最多200就行: less is so at once, without a code; more is a new agreement."""
    found = _meant(room, slots)
    if len(found) > 1:
        return Result("several", _choices(room, found))
    if not found:
        return Result("none")
    live, facts = found[0], _described(room, found[0])
    month = slots.get("per_month") or live.terms.per_month.fen
    meter = live.terms.kind is MandateKind.TOP_UP  # each time it takes its fixed amount
    charge = live.terms.per_charge.fen if meter else slots.get("per_charge") or live.terms.per_charge.fen
    charge = min(charge, month) if not meter else charge
    if month > live.terms.per_month.fen or charge > live.terms.per_charge.fen:
        return Result("higher", facts | {"changes": True})
    if (month, charge) == (live.terms.per_month.fen, live.terms.per_charge.fen):
        return Result("same", {"mandate_list": _line(room, live)})
    if live.terms.amount is not None and month < live.terms.amount.fen:
        return Result("too_low", facts | {"amount": live.terms.amount.fen})
    done = room.till.lower_caps(
        room.tx, live.id, room.person, room.now, per_charge=Money(charge), per_month=Money(month)
    )
    return Result("lowered", facts | {"per_month": month, "per_charge": charge}) if done else Result("none")


# --- looking ---------------------------------------------------------------------------------------------------------


@inside("action_list_mandates", "some none", reads="utility relation", writes="mandate_list")
def list_mandates(room: Inside, slots: Arguments) -> Result:
    """Every one this person pays or lives with: its terms, and what it took this month."""
    found = _meant(room, slots)
    if not found:
        return Result("none")
    return Result("some", {"mandate_list": "\n".join(_line(room, m) for m in found)})


def _line(room: Inside, mandate: MandateView) -> str:
    """One automatic payment in a line: which bill, its terms, what it took this month, and whether it rests."""
    zh, terms = room.locale == "zh", mandate.terms
    name = bill_name(room.catalogue, mandate.utility, room.locale)
    head = f"{name} 尾号{mandate.tail}" if zh else f"{name} ending {mandate.tail}"
    if terms.kind is MandateKind.TOP_UP:
        assert terms.below is not None, "a top-up has a threshold"
        assert terms.amount is not None, "a top-up has an amount"
        below, amount = terms.below.yuan, terms.amount.yuan
        rule = f"低于{below}元充{amount}元" if zh else f"below {below} yuan, {amount} yuan"
    else:
        each = terms.per_charge.yuan
        rule = f"账单来了就交，一次最多{each}元" if zh else f"each bill up to {each} yuan"
    month, spent = terms.per_month.yuan, mandate.spent_this_month.yuan
    used = (
        f"本月{mandate.times_this_month}次，{spent}元，上限{month}元"
        if zh
        else f"this month {mandate.times_this_month} times, {spent} of {month} yuan"
    )
    parts = [head, rule, used, *_remarks(room, mandate)]
    return "，".join(parts) if zh else ", ".join(parts)


_RESTING = {
    MandateState.PAUSED: {"zh": "暂停着", "en": "paused"},
    MandateState.SUSPENDED: {"zh": "扣不成，先停着", "en": "on hold, it could not pay"},
}


def _remarks(room: Inside, mandate: MandateView) -> list[str]:
    words = []
    if who := _payer_word(room, mandate.payer):
        words.append(f"{who}付" if room.locale == "zh" else f"paid by {who}")
    if resting := _RESTING.get(mandate.state):
        words.append(resting[room.locale])
    return words


@inside(
    "action_why_charged",
    "meter bill paid_by_you not_taken nothing",
    reads="utility amount",
    writes="amount payment bill_name tail holder balance below agreed_at charged_at who own reason",
)
def why_charged(room: Inside, slots: Arguments) -> Result:
    """The newest charge that fits: which agreement it rests on, since when, and what the meter said then."""
    charges = [
        c
        for c in room.till.recent_charges(room.tx, room.now, person=room.person)
        if _fits(slots, c.amount, room.till.outcome(room.tx, c.payment)) and room.now - c.at <= _LATELY
    ]
    paid = [
        p
        for p in room.till.payments_of(room.tx, room.person)
        if _fits(slots, p.amount, p) and room.now - p.created_at <= _LATELY
    ]
    by_itself = {c.payment for c in charges}
    own = next((p for p in paid if p.id not in by_itself), None)
    if charges and (own is None or own.captured_at is None or own.created_at <= charges[0].at):
        return _because_agreed(room, charges[0])
    return _because_paid(room, own) if own is not None else Result("nothing")


def _fits(slots: Arguments, amount: Money, payment: PaymentView) -> bool:
    wanted, utility = slots.get("amount"), slots.get("utility")
    return (not isinstance(wanted, int) or amount.fen == wanted) and utility in (None, payment.utility)


def _because_agreed(room: Inside, charge: Charge) -> Result:
    view = room.till.outcome(room.tx, charge.payment)
    facts = _payment_slots(room, view) | {
        "balance": _fen(charge.balance),
        "below": _fen(charge.terms.below),
        "agreed_at": charge.agreed_at.isoformat(),
        "who": _payer_word(room, charge.payer),
        "own": charge.payer == room.person,
    }
    return Result("meter" if charge.balance is not None and charge.terms.below else "bill", facts)


def _because_paid(room: Inside, view: PaymentView) -> Result:
    facts = _payment_slots(room, view)
    if view.captured_at is not None:
        return Result("paid_by_you", facts)
    return Result("not_taken", facts) if view.told == "refused" else Result("nothing")


def _payment_slots(room: Inside, view: PaymentView) -> dict[str, Any]:
    return {
        "amount": view.amount.fen,
        "payment": view.id,
        "bill_name": bill_name(room.catalogue, view.utility, room.locale),
        "tail": view.tail,
        "holder": view.holder_masked,
        "charged_at": (view.captured_at or view.created_at).isoformat(),
    }


# --- noting and skipping ---------------------------------------------------------------------------------------------


@inside("action_acknowledge", "noted nothing")
def acknowledge(room: Inside, slots: Arguments) -> Result:
    """知道了: nobody further up need be told."""
    return Result("noted" if room.till.acknowledge(room.tx, room.person, room.now) else "nothing")


@inside("action_skip_debit", "skipped nothing", reads="utility relation", writes="bill_name tail holder")
def skip_debit(room: Inside, slots: Arguments) -> Result:
    """The announced payment of a bill is left out this once; the next one is announced again."""
    for mandate in _meant(room, slots):
        if room.till.skip_debit(room.tx, mandate.terms.account, room.person, room.now):
            facts = _described(room, mandate)
            return Result("skipped", {name: facts[name] for name in ("bill_name", "tail", "holder")})
    return Result("nothing")


ACTIONS = (
    mandate_meant,
    standing_mandate,
    complete_terms,
    last_year,
    stop_mandate,
    pause_mandate,
    list_mandates,
    why_charged,
    acknowledge,
    skip_debit,
    asked_debit,
    lower_caps,
)
