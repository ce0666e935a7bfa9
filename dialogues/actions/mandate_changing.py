"""Changing an automatic payment that stands: stopped or let rest at once, single terms lowered at once or raised by a new yes."""

from __future__ import annotations

from typing import Any

from data.clock import shanghai
from data.money import Money
from dialogues import clauses
from dialogues.actions.mandate_meant import (
    ALL,
    choices,
    comma,
    described,
    line,
    meant,
    still_waiting,
    told_of,
    words_of,
)
from dialogues.actions.ports import Arguments, Inside, Result, inside
from nlu import rests
from payments.acts import Refusal
from payments.rising import raised
from payments.terms import Clauses, MandateKind, MandateState, MandateView, Terms

# --- stopping and resting --------------------------------------------------------------------------------------------


@inside(
    "action_stop_mandate",
    "stopped all several none",
    reads="utility relation mandate_choice list_page",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choice mandate_choices mandate_list list_page sent",
)
def stop_mandate(room: Inside, slots: Arguments) -> Result:
    """At once and without any code; what it had begun and not sent is not sent (L3)."""
    found = meant(room, slots)
    if not found:
        return Result("none")
    if len(found) > 1 and slots.get("mandate_choice") != ALL:
        return Result("several", choices(room, found, slots, all_of_them=True))
    stopped = [m for m in found if room.till.stop_mandate(room.tx, m.id, room.person, room.now)]
    if not stopped:
        return Result("none")
    sent = sum(_sent_before(room, mandate) for mandate in stopped) or None
    if len(stopped) > 1:
        return Result("all", {"mandate_list": told_of(room, stopped), "sent": sent})
    return Result("stopped", described(room, stopped[0]) | {"sent": sent})


def _sent_before(room: Inside, mandate: MandateView) -> int:
    """Fen of what it had sent before it was stopped: called back where the rail allows, and told honestly where not (L3)."""
    return room.till.on_its_way(room.tx, mandate.id).fen


@inside(
    "action_pause_mandate",
    "paused several none",
    reads="utility relation mandate_choice list_page rest_span",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choice mandate_choices mandate_list list_page rests_until rest_span",
)
def pause_mandate(room: Inside, slots: Arguments) -> Result:
    """Rests at once; it goes on by itself on the day that was said, else by a new yes with the payer's code."""
    said = slots.get("rest_span")
    found = meant(room, slots)
    found = [m for m in found if m.state is MandateState.ACTIVE] or (_paused(found) if said else [])
    if len(found) > 1:
        return Result("several", choices(room, found, slots))
    until = rests.ends_on(str(said), shanghai(room.now).date()) if said else None
    if not found or not room.till.pause_mandate(room.tx, found[0].id, room.person, room.now, until):
        return Result("none", {"rest_span": None})
    told = {"rests_until": until.isoformat() if until else None, "rest_span": None}
    return Result("paused", described(room, found[0]) | told)


def _paused(found: list[MandateView]) -> list[MandateView]:
    """一直停着, said of one that was to rest for some days: its end changes."""
    return [m for m in found if m.state is MandateState.PAUSED]


# --- single terms ----------------------------------------------------------------------------------------------------

_SAID = "below amount per_month per_charge per_day ask_above cap was"
_TOLD = "mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choice mandate_choices mandate_list list_page"


@inside(
    "action_change_mandate",
    "lowered higher which_clause same cap_too_low over_cap amount_rule anothers resting unset none several",
    reads=f"utility relation mandate_choice list_page {_SAID}",
    writes=f"{_TOLD} {_SAID} changed_list rest_list until_then until replaces changes resting clause_choices",
)
def change_mandate(room: Inside, slots: Arguments) -> Result:
    """自动缴费上限改成200, 改成充50: only what was said changes. Less is so at once; more is read back and needs a code."""
    found = meant(room, slots)
    if len(found) > 1:
        return Result("several", choices(room, found, slots))
    said = {name: slots[name] for name in _SAID.split() if slots.get(name) is not None}
    if not found:
        whole = "below" in said or "per_charge" in said
        return Result("unset" if whole else "none", {"changes": True})
    live = found[0]
    wanted = _wanted(live.terms, said)
    facts = described(room, live) | clauses.slots_of(live.terms) | {"cap": None, "was": None}
    if wanted is None:
        return Result("which_clause", facts | _clause_choices(room, live))
    if wanted == live.terms:
        return Result("same", facts | {"mandate_list": line(room, live)})
    return _changed(room, live, wanted, facts)


def _wanted(standing: Terms, said: dict[str, Any]) -> Terms | None:
    """The terms with what was said in place; None when it is not said of which term it is said."""
    figures = {name: value for name, value in said.items() if name not in ("cap", "was")}
    if "cap" in said:
        name = _was(standing, said["was"]) if "was" in said else _CAP[standing.kind]
        figures |= {name: said["cap"]} if name else {}
    figures = (_of_a_meter if standing.kind is MandateKind.TOP_UP else _of_a_bill)(standing, figures)
    names = clauses.names_of(standing)
    known = {name: _typed(name, value) for name, value in figures.items() if name in names}
    return Clauses(**known).of(standing) if known else None


_CAP = {MandateKind.TOP_UP: "per_month", MandateKind.BILL_DEBIT: "per_charge"}  # 上限改成200


def _of_a_meter(standing: Terms, figures: dict[str, Any]) -> dict[str, Any]:
    """一次最多50 of a fixed 100: from now on it takes 50."""
    each = figures.get("per_charge")
    if each is None or standing.amount is None or "amount" in figures:
        return figures
    return figures | {"amount": min(each, standing.amount.fen)}


def _of_a_bill(standing: Terms, figures: dict[str, Any]) -> dict[str, Any]:
    """A bill has no fixed amount: 改成交150 is its cap. One bill may not be more than a whole month, so they go together."""
    each, month = figures.get("per_charge", figures.get("amount")), figures.get("per_month")
    if each is not None:
        return figures | {"per_charge": each, "per_month": month or max(each, standing.per_month.fen)}
    return figures if month is None else figures | {"per_charge": min(month, standing.per_charge.fen)}


def _was(standing: Terms, fen: int) -> str | None:
    """Which term is meant by what it is now: 从300改成200."""
    now = clauses.slots_of(standing)
    fits = [name for name in clauses.names_of(standing) if name in now and now[name] == fen]
    return fits[0] if len(fits) == 1 else None


def _typed(name: str, value: Any) -> Any:
    return int(value) if name in ("per_day", "ask_above") else Money(int(value))


def _clause_choices(room: Inside, live: MandateView) -> dict[str, Any]:
    """Which terms can be changed, and how each stands."""
    words = words_of(room)
    names = clauses.names_of(live.terms)[: 3 if live.terms.kind is MandateKind.TOP_UP else 2]
    now = {name: clauses.in_words(live.terms, [name], words, "") for name in names}
    picked = {name: [words("utter_clause_name", {"clause": name}), str(n)] for n, name in enumerate(names, 1)}
    return {"clause_choices": picked, "mandate_list": comma(room).join(now.values())}


def _changed(room: Inside, live: MandateView, wanted: Terms, facts: dict[str, Any]) -> Result:
    words, comma_here = words_of(room), comma(room)
    changes = clauses.changed(wanted, live.terms)
    told = facts | {
        **clauses.slots_of(wanted),
        "ask_above": wanted.ask_above,
        "changed_list": clauses.in_words(wanted, changes, words, comma_here),
        "rest_list": clauses.all_in_words(wanted, words, comma_here, changes) or None,
        "resting": live.state is not MandateState.ACTIVE,
    }
    if wanted.amount is not None and wanted.amount > wanted.per_month:
        return Result("over_cap" if "amount" in changes else "cap_too_low", told)
    if not raised(wanted, live.terms):
        return _lowered(room, live, wanted, told)
    if live.payer != room.person:
        return Result("anothers", told)
    if live.state is not MandateState.ACTIVE:
        return Result("resting", told | {"changes": True})
    agreed_until = {"until": wanted.valid_until.isoformat(), "replaces": live.id}
    return Result("higher", told | agreed_until)


def _lowered(room: Inside, live: MandateView, wanted: Terms, told: dict[str, Any]) -> Result:
    less = {name: getattr(wanted, name) for name in (*clauses.changed(wanted, live.terms), "per_charge")}
    done = room.till.take_less(room.tx, live.id, room.person, room.now, Clauses(**less))
    if isinstance(done, Refusal):
        return Result("amount_rule" if done.reason == "amount_rule" else "none", told)
    now = room.till.mandate(room.tx, live.id, room.now)
    return Result("lowered", told | {"until_then": still_waiting(room, now) or None})


ACTIONS = (stop_mandate, pause_mandate, change_mandate)
