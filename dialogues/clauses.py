"""The terms of an automatic payment in words, clause by clause: as they are, as they were, and as they are agreed anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from payments.terms import MandateKind, Terms

# Says one sentence, or part of one, of the house's own.
Words = Callable[[str, Mapping[str, Any]], str]

_OF_A_METER = ("below", "amount", "per_month", "per_day", "ask_above")
_OF_A_BILL = ("per_charge", "per_month", "per_day", "ask_above")
_USUAL = {"per_day": 1, "ask_above": None}  # nobody need hear that it is as always


def names_of(terms: Terms) -> tuple[str, ...]:
    """The clauses such an agreement has, in the order they are told."""
    return _OF_A_METER if terms.kind is MandateKind.TOP_UP else _OF_A_BILL


def changed(wanted: Terms, standing: Terms) -> tuple[str, ...]:
    """Which clauses differ; the cap of a top-up's single charge is its amount, and told as that."""
    return tuple(name for name in names_of(wanted) if getattr(wanted, name) != getattr(standing, name))


def in_words(terms: Terms, names: Collection[str], words: Words, comma: str) -> str:
    """Those clauses as one phrase: 低于20元就充100元，每月最多300元."""
    wanted = [name for name in names_of(terms) if name in names]
    if {"below", "amount"} <= set(wanted):
        wanted = ["rule", *(name for name in wanted if name not in ("below", "amount"))]
    said = {"ask_above": None, **slots_of(terms)}  # not what was said of it in the talk
    return comma.join(words(f"utter_clause_{name}", said) for name in wanted)


def all_in_words(terms: Terms, words: Words, comma: str, but: Collection[str] = ()) -> str:
    """Every clause worth telling, but those."""
    told = [
        name
        for name in names_of(terms)
        if name not in but and (name not in _USUAL or getattr(terms, name) != _USUAL[name])
    ]
    return in_words(terms, told, words, comma)


def terms_alone(terms: Terms) -> tuple[tuple[str, Any], ...]:
    """What was agreed, without the account it was agreed for: equal for two that are alike."""
    return tuple(sorted(slots_of(terms).items()))


def slots_of(terms: Terms) -> dict[str, Any]:
    """The clauses as slots of a talk, amounts in fen; what is not agreed is left out."""
    found: dict[str, Any] = {"per_month": terms.per_month.fen, "per_day": terms.per_day}
    if terms.kind is MandateKind.BILL_DEBIT:
        found["per_charge"] = terms.per_charge.fen
    for name, amount in (("below", terms.below), ("amount", terms.amount)):
        if amount is not None:
            found[name] = amount.fen
    return found | ({} if terms.ask_above is None else {"ask_above": terms.ask_above})
