"""Looking back: what was paid in a month, and where a refund stands."""

from __future__ import annotations

from calendar import month_name
from datetime import date
from typing import Any

from data.clock import shanghai
from data.ids import AccountId
from data.model import Role, Utility
from data.money import Money
from dialogues import responses
from dialogues.actions.choosing import MORE
from dialogues.actions.homes import home_of, homes, is_meant
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from dialogues.model import Say
from dialogues.results import payment_slots
from nlu.asking import Ask
from nlu.dates import Month, parse_month
from nlu.text import spoken_locale
from payments import looking_back
from payments.authority import accounts, people
from payments.authority.accounts import KnownAccount
from payments.looking_back import PaidFor
from payments.quoting import ACCESS_REFUSED, Trouble
from payments.states import State

_TELLS_NONE = "config"  # a biller that does not tell what was used


@inside(
    "action_look_back",
    "paid one_kind nothing which_month which_home whose no_grant",
    reads="look_words look_month utility relation person_name home_choice list_page",
    writes="home_choice list_page look_label look_list look_times look_total look_back_total look_coming bill_name home_choices home_list",
)
def look_back(room: Inside, slots: Arguments) -> Result:
    """What was paid in that month, by kind of bill, with what went back; of one home when somebody names it."""
    asked = _whose(room, slots)
    if isinstance(asked, Result):
        return asked
    month = _month(room, slots)
    if month is None:
        return Result("which_month")
    utility = Utility(slots["utility"]) if slots.get("utility") else None
    day = date(month.year, month.month, 1)
    of = None if asked is None else {known.account.id for known in asked}
    paid = looking_back.paid_in(room.tx, room.till, room.person, day, room.now, utility, of)
    if not paid and asked and not _may_look_back(room, asked):
        return Result("no_grant")
    label = {"look_label": _of_home(room, asked, _label(room, month))}
    if utility is not None:
        label["bill_name"] = bill_name(room.catalogue, utility, room.locale)
    if not paid:
        return Result("nothing", label)
    return Result("one_kind" if utility is not None else "paid", label | _sums(room, paid))


# --- whose ----------------------------------------------------------------------------------------------------------

# 我女儿上个月交了多少 may be what she paid for the speaker; of these it is asked what is theirs.
_THEIRS = frozenset(
    [
        "father",
        "mother",
        "parents",
        "father_in_law",
        "mother_in_law",
        "grandfather",
        "grandmother",
        "aunt_uncle",
        "neighbour",
    ]
)


def _whose(room: Inside, slots: Arguments) -> list[KnownAccount] | Result | None:
    """The accounts of the home that is asked about; None when none is named; a result when that must be settled first."""
    relation, name = slots.get("relation"), slots.get("person_name")
    if not name and relation not in _THEIRS:
        helper = people.person(room.tx, room.person).role is Role.HELPER
        return Result("whose") if helper else None
    found = [
        known
        for known in accounts.known_accounts(room.tx, room.person, room.now)
        if is_meant(known, slots) and slots.get("home_choice") in (None, MORE, home_of(known))
    ]
    if not found:
        return Result("no_grant")
    if name and len({home_of(known) for known in found}) > 1:
        return Result("which_home", homes(found, room, slots))
    return found


def _may_look_back(room: Inside, asked: list[KnownAccount]) -> bool:
    return any(
        looking_back.may_look_back(room.tx, room.person, known.account.id, room.now) for known in asked
    )


def _of_home(room: Inside, asked: list[KnownAccount] | None, label: str) -> str:
    """Of whose home the figure is, when one was named: nobody should take it for his own."""
    names = {known.owner_name_masked for known in asked or ()}
    if len(names) != 1:
        return label
    return _words(room, "utter_look_of_home", {"who": names.pop(), "look_label": label})


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
