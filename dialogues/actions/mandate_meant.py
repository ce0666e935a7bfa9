"""Which automatic payment a person means, and how one is told: whose, which bill, its terms, and what it can do just now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.ids import PersonId
from dialogues import clauses, saying
from dialogues.actions.choosing import Place, listed, page_of
from dialogues.actions.ports import Arguments, Inside, bill_name
from dialogues.relations import relation_word
from payments import resting
from payments.authority import people
from payments.purse import relation_of
from payments.terms import MandateKind, MandateState, MandateView

ALL = "all"
# 我爸妈家 is either of them; an account of one roof may run under the other's name.
_COVERS = {
    "parents": {"father", "mother", "parent"},
    "mother": {"mother", "parent", "father"},
    "father": {"father", "parent", "mother"},
    "spouse": {"husband", "wife", "spouse"},
}


def meant(room: Inside, slots: Arguments, *, own: bool = False) -> list[MandateView]:
    """The live ones the words fit; all of them when a relation is named that fits none. `own`: paid by this person."""
    found = room.till.mandates_of(room.tx, room.person, room.now)
    if own:
        found = [m for m in found if m.payer == room.person]
    chosen, utility = slots.get("mandate_choice"), slots.get("utility")
    if utility:
        found = [m for m in found if m.utility == utility]
    if picked := [m for m in found if m.id == chosen]:
        return picked  # unless another bill was named since
    wanted = slots.get("relation")
    if not wanted:
        return found
    exactly = [m for m in found if _is_of(room, m, {wanted})]
    return exactly or [m for m in found if _is_of(room, m, _COVERS.get(wanted, {wanted}))] or found


def _is_of(room: Inside, mandate: MandateView, kinds: set[str]) -> bool:
    return mandate.holder is not None and relation_of(room.tx, room.person, mandate.holder) in kinds


def choices(
    room: Inside, found: Iterable[MandateView], slots: Arguments, *, all_of_them: bool = False
) -> dict[str, Any]:
    """Several as a list to read and words to choose by."""
    zh = room.locale == "zh"
    places = {mandate.id: _place(room, mandate) for mandate in found}
    if all_of_them:
        every = ("全部", "都停了", "全停", "都") if zh else ("all", "both")
        places[ALL] = Place("都停" if zh else "all of them", "都停" if zh else "All of them", every)
    page = listed(places, room.locale, spoken=room.facts.spoken, page=page_of(slots, "mandate_choice"))
    return {
        "mandate_choices": page.words,
        "mandate_list": page.told,
        "list_page": page.number,
        "mandate_choice": None,
    }


def told_of(room: Inside, found: Iterable[MandateView]) -> str:
    """Several, one a line, where nothing is to be chosen."""
    return "\n".join(f"{n}. {_place(room, mandate).line}" for n, mandate in enumerate(found, start=1))


def _place(room: Inside, mandate: MandateView) -> Place:
    name = bill_name(room.catalogue, mandate.utility, room.locale)
    tail = f"尾号{mandate.tail}" if room.locale == "zh" else f"ending {mandate.tail}"
    return Place(
        f"{mandate.holder_masked} {name} {tail}", f"{name} {mandate.tail}", (mandate.tail, tail, name)
    )


def described(room: Inside, mandate: MandateView) -> dict[str, Any]:
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
        "who": payer_word(room, mandate.payer),
    }


def payer_word(room: Inside, payer: PersonId) -> str | None:
    """Whose money it is: 您女儿李敏; None when it is one's own."""
    if payer == room.person:
        return None
    word = relation_word(relation_of(room.tx, room.person, payer), room.locale)
    name = people.person(room.tx, payer).name
    if room.locale == "en":
        return f"your {word} {name}" if word else name
    return f"您{word}{name}" if word else name


# --- in words ------------------------------------------------------------------------------------------------------


def comma(room: Inside) -> str:
    """What stands between two parts of one phrase."""
    return "，" if room.locale == "zh" else ", "


def words_of(room: Inside) -> clauses.Words:
    """Says one of the house's sentences, as part of another."""

    def words(response: str, values: Arguments) -> str:
        return saying.plain(room.release, response, values, room.conversation, room.facts)

    return words


def line(room: Inside, mandate: MandateView) -> str:
    """One automatic payment in a line: which bill, its terms, what it took this month, and whether it pays just now."""
    words = words_of(room)
    values = {
        "holder": mandate.holder_masked,
        "bill_name": bill_name(room.catalogue, mandate.utility, room.locale),
        "tail": mandate.tail,
        "changed_list": clauses.all_in_words(mandate.terms, words, comma(room)),
        "times": mandate.times_this_month,
        "spent": mandate.spent_this_month.fen,
    }
    return comma(room).join((words("utter_mandate_line", values), *_remarks(room, mandate)))


def _remarks(room: Inside, mandate: MandateView) -> list[str]:
    """Whose money it is, what has not risen yet, and why it does not pay."""
    words, found = words_of(room), []
    if who := payer_word(room, mandate.payer):
        found.append(words("utter_mandate_paid_by", {"who": who}))
    if waiting := still_waiting(room, mandate):
        found.append(words("utter_mandate_rising", {"until_then": waiting}))
    reason = _why_it_rests(mandate)
    return [*found, words("utter_mandate_rests", {"reason": reason})] if reason else found


def still_waiting(room: Inside, mandate: MandateView) -> str:
    """What counts instead of terms raised less than 72 hours ago; empty when all count."""
    waiting = clauses.changed(mandate.terms, mandate.counting)
    return clauses.in_words(mandate.counting, waiting, words_of(room), comma(room))


def _why_it_rests(mandate: MandateView) -> str | None:
    match mandate.state:
        case MandateState.ACTIVE:
            return mandate.hindered
        case MandateState.PAUSED:
            return mandate.reason if mandate.reason == resting.RESTORED else "paused"
        case MandateState.SUSPENDED if mandate.reason == "no_purse":
            return "no_purse"
        case MandateState.SUSPENDED:
            return "suspended"
    return mandate.reason
