"""Setting up an automatic payment: for which account, what stands there already, and what nobody need be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from data.clock import shanghai
from data.ids import AccountId
from data.model import May
from dialogues import clauses
from dialogues.actions.mandate_meant import choices, described, line, meant, payer_word
from dialogues.actions.ports import Arguments, Inside, Outside, Result, inside, outside
from payments import mandates
from payments.authority import access
from payments.quoting import Trouble
from payments.terms import MandateKind, MandateState

_YEAR = timedelta(days=365)  # how long an agreement lasts when nobody says otherwise
_TERMS = ("below", "amount", "per_month", "per_charge", "per_day", "ask_above")


@inside(
    "action_mandate_meant",
    "known several anothers like_which open",
    reads=f"changes utility relation account person_name account_id mandate_choice same_terms list_page {' '.join(_TERMS)}",
    writes="account_id utility mandate_choice mandate_choices mandate_list list_page who bill_name same_terms but_account "
    f"{' '.join(_TERMS)}",
)
def mandate_meant(room: Inside, slots: Arguments) -> Result:
    """改成低于30充50 names no account: the one that is agreed is meant, or one is chosen."""
    if slots.get("same_terms"):
        return _like(room, slots)
    named = any(slots.get(name) for name in ("relation", "account", "person_name", "account_id"))
    if not slots.get("changes") or named:
        return Result("open")
    found = meant(room, slots, own=True)
    if not any(slots.get(name) is not None for name in _TERMS):  # 接着缴 is said of what rests
        found = [m for m in found if m.state is not MandateState.ACTIVE] or found
    if len(found) == 1:
        account = {"account_id": found[0].terms.account, "utility": found[0].utility.value}
        return Result("known", account)
    if found:
        return Result("several", choices(room, found, slots))
    others = meant(room, slots)
    if not others:
        return Result("open")
    told = described(room, others[0])
    return Result("anothers", {"who": told["who"], "bill_name": told["bill_name"]})


def _like(room: Inside, slots: Arguments) -> Result:
    """给我爸那边也设一个一样的: the terms of one that stands, for another account; what is said besides holds."""
    own = meant(room, {"mandate_choice": slots.get("mandate_choice")}, own=True)
    if picked := [m for m in own if m.id == slots.get("mandate_choice")]:
        own = picked
    if not own:
        return Result("open", {"same_terms": None})
    if len({clauses.terms_alone(m.terms) for m in own}) > 1:
        return Result("like_which", choices(room, own, slots))
    like = own[0]
    kept = {name: value for name, value in clauses.slots_of(like.terms).items() if slots.get(name) is None}
    taken = {"same_terms": None, "mandate_choice": None, "but_account": like.terms.account}
    return Result("open", kept | taken | {"utility": slots.get("utility") or like.utility.value})


@inside(
    "action_standing_mandate",
    "free mine changes same anothers no_grant no_purse",
    reads="account_id changes replaces below amount per_month per_charge per_day ask_above",
    writes="replaces below amount per_month per_charge per_day ask_above who mandate_list mandate_choice prepaid",
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
        return Result("anothers", {"who": payer_word(room, live.payer)})
    said = {name: slots[name] for name in _TERMS if slots.get(name) is not None}
    resting = live.state is not MandateState.ACTIVE
    if not said and not slots.get("changes") and not resting and not slots.get("replaces"):
        return Result(
            "same", {"mandate_list": line(room, live), "prepaid": live.terms.kind is MandateKind.TOP_UP}
        )
    if not resting and not slots.get("replaces"):
        return Result(
            "changes", {"mandate_choice": live.id}
        )  # single terms of what stands: a short read-back will do
    return Result("mine", {**clauses.slots_of(live.terms), **said, "replaces": live.id})


def _terms_before(room: Inside, account: AccountId, slots: Arguments) -> dict[str, Any]:
    """恢复自动缴费 after it was stopped: the terms of that time, put to the payer again."""
    if not slots.get("changes"):
        return {}
    ended = mandates.last_ended(room.tx, account)
    if ended is None or ended.payer != room.person:
        return {}
    return {k: v for k, v in clauses.slots_of(ended.terms).items() if slots.get(k) is None}


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


ACTIONS = (mandate_meant, standing_mandate, complete_terms, last_year)
