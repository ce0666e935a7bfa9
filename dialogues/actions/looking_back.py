"""Looking back: what was paid in a month, and where a refund stands."""

from __future__ import annotations

from calendar import month_name
from datetime import date
from typing import Any

from data.clock import shanghai
from data.ids import AccountId
from data.model import Utility
from data.money import Money
from dialogues import responses
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from dialogues.model import Say
from dialogues.results import payment_slots
from nlu.asking import Ask
from nlu.dates import Month, parse_month
from nlu.text import spoken_locale
from payments import looking_back
from payments.looking_back import PaidFor
from payments.quoting import ACCESS_REFUSED, Trouble
from payments.states import State

_TELLS_NONE = "config"  # a biller that does not tell what was used


@inside(
    "action_look_back",
    "paid one_kind nothing which_month",
    reads="look_words look_month utility",
    writes="look_label look_list look_times look_total look_back_total look_coming bill_name",
)
def look_back(room: Inside, slots: Arguments) -> Result:
    """What was paid in that month, by kind of bill, with what went back."""
    month = _month(room, slots)
    if month is None:
        return Result("which_month")
    utility = Utility(slots["utility"]) if slots.get("utility") else None
    day = date(month.year, month.month, 1)
    paid = looking_back.paid_in(room.tx, room.till, room.person, day, room.now, utility)
    label = {"look_label": _label(room, month)}
    if utility is not None:
        label["bill_name"] = bill_name(room.catalogue, utility, room.locale)
    if not paid:
        return Result("nothing", label)
    return Result("one_kind" if utility is not None else "paid", label | _sums(room, paid))


def _month(room: Inside, slots: Arguments) -> Month | None:
    """The month that was chosen or named; this one when none was; None when it could be several."""
    today = shanghai(room.now).date()
    now = Month(today.year, today.month)
    if chosen := slots.get("look_month"):
        return now if chosen == "this" else now.plus(-1)
    words = str(slots.get("look_words") or "")
    named = parse_month(words, today, spoken_locale(words, room.locale))
    if isinstance(named, Ask):
        return now if named.reason == "none" else None
    return named


def _label(room: Inside, month: Month) -> str:
    this_year = shanghai(room.now).year == month.year
    response = "utter_look_month" if this_year else "utter_look_month_of_year"
    name = str(month.month) if room.locale == "zh" else month_name[month.month]
    return _words(room, response, {"look_m": name, "look_y": str(month.year)})


def _sums(room: Inside, paid: list[PaidFor]) -> dict[str, Any]:
    lines = [
        _words(
            room,
            "utter_look_line",
            {
                "bill_name": bill_name(room.catalogue, one.utility, room.locale),
                "look_times": one.times,
                "look_total": one.total.fen,
            },
        )
        for one in paid
    ]
    comma = ("，" if room.locale == "zh" else ", ") if room.facts.spoken else "\n"
    return {
        "look_list": comma.join(lines),
        "look_times": sum(one.times for one in paid),
        "look_total": sum((one.total for one in paid), Money(0)).fen,
        "look_back_total": sum((one.given_back for one in paid), Money(0)).fen or None,
        "look_coming": sum((one.coming_back for one in paid), Money(0)).fen or None,
    }


def _words(room: Inside, response: str, values: dict[str, Any]) -> str:
    return responses.render(room.release, Say(response, values), room.conversation, room.facts)[0].text


@outside(
    "action_usage",
    "told no_grant nothing trouble",
    reads="account_id look_words",
    writes="used used_before used_m trouble",
    reads_others=True,
)
async def usage(room: Outside, slots: Arguments) -> Result:
    """What was used in the month that was named, or in the last whole one, beside the same month of last year."""
    answer = await room.quoting.used(room.person, AccountId(slots["account_id"]))
    if isinstance(answer, Trouble):
        outcome = "no_grant" if answer.reason == ACCESS_REFUSED else "trouble"
        return Result("nothing" if answer.reason == _TELLS_NONE else outcome, {"trouble": answer.reason})
    by_month = {Month(use.month.year, use.month.month): use.used.fen for use in answer}
    today = shanghai(room.clock.now()).date()
    month = _used_in(str(slots.get("look_words") or ""), today, room.locale)
    if month not in by_month:
        return Result("nothing")
    name = str(month.month) if room.locale == "zh" else month_name[month.month]
    return Result(
        "told", {"used": by_month[month], "used_before": by_month.get(month.plus(-12)), "used_m": name}
    )


def _used_in(words: str, today: date, locale: str) -> Month:
    named = parse_month(words, today, spoken_locale(words, locale))
    return Month(today.year, today.month).plus(-1) if isinstance(named, Ask) else named


@inside(
    "action_refund_state",
    "under_way refunded none",
    writes="amount payment bill_name biller_name prepaid holder tail reason link",
)
def refund_state(room: Inside, slots: Arguments) -> Result:
    """Where money stands that is to come back: under way, arrived, or nothing of the kind."""
    view = looking_back.newest_refund(room.tx, room.till, room.person, room.now)
    if view is None:
        return Result("none")
    outcome = "refunded" if view.state is State.REFUNDED else "under_way"
    return Result(outcome, payment_slots(view, room.catalogue, room.locale))


ACTIONS = (look_back, usage, refund_state)
