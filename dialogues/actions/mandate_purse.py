"""换张卡自动扣: the money of an automatic payment comes from another purse of the same payer, and everything else stays."""

from __future__ import annotations

from typing import Any

from data.ids import InstrumentId
from dialogues import clauses, purses
from dialogues.actions.choosing import Place, listed, page_of
from dialogues.actions.mandate_meant import choices, comma, described, meant, payer_word, words_of
from dialogues.actions.ports import Arguments, Inside, Result, inside
from payments.authority import access
from payments.terms import MandateState, MandateView


@inside(
    "action_other_purse",
    "chosen several which_purse only_one anothers none",
    reads="utility relation mandate_choice purse_choice list_page",
    writes="mandate account_id utility bill_name biller_name tail holder prepaid who mandate_choice mandate_choices mandate_list list_page below amount "
    "per_month per_charge per_day ask_above until replaces purse purse_name purse_choice purse_choices purse_list "
    "rest_list resting",
)
def other_purse(room: Inside, slots: Arguments) -> Result:
    """Which automatic payment, and from which purse from now on; asked only where there are several."""
    found = meant(room, slots, own=True)
    if not found:
        others = meant(room, slots)
        return Result("anothers", {"who": payer_word(room, others[0].payer)}) if others else Result("none")
    if len(found) > 1:
        return Result("several", choices(room, found, slots))
    live = found[0]
    other = [i.id for i in access.instruments_of(room.tx, room.person) if i.id != live.instrument]
    named = {i: purses.name_of(room.tx, room.person, i, words_of(room)) for i in other}
    facts = described(room, live) | {"mandate_choice": live.id}
    if not other:
        return Result("only_one", facts)
    picked = InstrumentId(str(slots.get("purse_choice"))) if slots.get("purse_choice") else None
    if len(other) > 1 and picked not in other:
        return Result("which_purse", facts | _to_choose_from(room, named, slots))
    purse = picked if picked in other else other[0]
    return Result("chosen", facts | _read_back(room, live) | {"purse": purse, "purse_name": named[purse]})


def _read_back(room: Inside, live: MandateView) -> dict[str, Any]:
    return {
        **clauses.slots_of(live.terms),
        "until": live.terms.valid_until.isoformat(),
        "replaces": live.id,
        "rest_list": clauses.all_in_words(live.terms, words_of(room), comma(room)),
        "resting": live.state is not MandateState.ACTIVE,
    }


def _to_choose_from(room: Inside, named: dict[InstrumentId, str], slots: Arguments) -> dict[str, Any]:
    places = {str(i): Place(name, name) for i, name in named.items()}
    page = listed(places, room.locale, spoken=room.facts.spoken, page=page_of(slots, "purse_choice"))
    told = {"purse_choices": page.words, "purse_list": page.told, "list_page": page.number}
    return told | {"purse_choice": None}


ACTIONS = (other_purse,)
