"""Where grammar and the learnt engine read the beginning of a talk differently: who is surer wins, and of two opposites we ask.

The grammar knows words one by one: 自动交水费的封顶是几百 holds 自动 and 交, and asks all the same. It keeps its word where the
engine agrees, is unsure, or names business that needs a word the sentence does not hold.
"""

from __future__ import annotations

from collections.abc import Collection

from nlu import guessing, mandates, sentence
from nlu.commands import CannotHandle, Clarify, Command, Explain, StartFlow
from nlu.engine import OUT_OF_SCOPE, Parse

# Measured on the validation split: below these the grammar is right more often than the engine.
_SURE = 0.55
_TIMES_LIKELIER = 3.0
_SURELY_STRANGE = 0.7
# 怎么回事 asks about the sum just told more often than about money that went.
_SURE_OF_MONEY_GONE = 0.85
# What the grammar begins at a single word, and what looks like it.
_CONTESTED = frozenset(
    {
        "check_balance", "check_all", "pay_bill", "pay_joint", "look_back", "find_account", "capabilities", "enrol", "elders_due",
        "who_sees", "invite", "take_back", "set_pin", "refund_state", mandates.SET, mandates.STOP, mandates.LIST, mandates.WHY,
    }
)  # fmt: skip
# The flow of the grammar alone that says the same as one the engine knows.
_THE_SAME = {("check_all", "check_balance"), ("check_all", "pay_joint"), ("pay_joint", "pay_bill")}
# What the engine has never heard of it cannot call strange.
_UNKNOWN_TO_IT = frozenset({"check_all", "enrol"})
# So short a text is an answer that came late, or a word for which the engine has too little to go by.
_SHORTEST = {"zh": 5, "en": 15}
# Values and terms that only the right business has: 3100456712, 恢复, 低于五十.
_TELLING = frozenset(
    {"account", "below", "per_month", "per_charge", "cap", "changes", "rest_span", "joint_people"}
)
# What ends something, and what begins it: the end is taken at the engine's word, the beginning never against a word of ending.
_ENDS_WHAT = {mandates.STOP: mandates.SET, "take_back": "invite"}
# Small talk is no business: nothing is begun or left because of it.
_TALK = frozenset({"greet", "thanks", "bye"})


def contested(commands: Collection[Command]) -> bool:
    """Whether a second opinion is worth asking for: one wish of these, or a refusal by a single word."""
    if len(commands) != 1:
        return False
    (only,) = commands
    return (isinstance(only, StartFlow) and only.flow in _CONTESTED) or only in (
        CannotHandle("not_offered"),
        Explain("how"),
        Explain("why"),
    )


def instead(only: Command, parse: Parse, text: str, locale: str, flows: Collection[str]) -> Command | str:
    """What is begun in its place: an intent, or a question, or a refusal; the command itself where the engine is not surer."""
    begun = only.flow if isinstance(only, StartFlow) else ""
    best, likely = parse.ranking[0] if parse.ranking else (OUT_OF_SCOPE, 0.0)
    if best == begun or (begun, best) in _THE_SAME or (isinstance(only, StartFlow) and _is_told(only, best)):
        return only
    if best == OUT_OF_SCOPE:
        known = begun and begun not in _UNKNOWN_TO_IT and len(text) >= _SHORTEST[locale]
        return CannotHandle("out_of_scope") if known and likely >= _SURELY_STRANGE else only
    if not parse.in_scope or best in _TALK or best not in flows or not _surer(parse, begun):
        return only
    if only == Explain("why") and (best != mandates.WHY or likely < _SURE_OF_MONEY_GONE):
        return only
    if _ENDS_WHAT.get(begun) == best:
        return Clarify((begun, best))
    if best in ("pay_bill", "pay_joint") and not _wants_to_pay(text, locale):
        return only
    return best if guessing.may_begin(best, text) else only


def _is_told(begun: StartFlow, best: str) -> bool:
    """A value names the business, or one kind of bill says that not all of them are meant."""
    return bool(_TELLING & begun.slots.keys()) or (
        (begun.flow, best) == ("pay_bill", "pay_joint") and "utility" in begun.slots
    )


def _wants_to_pay(text: str, locale: str) -> bool:
    """水费 alone is looked at, and what was paid already is not paid again."""
    return guessing.may_begin("pay_joint", text) and not sentence.unwilling(text, locale)


def _surer(parse: Parse, begun: str) -> bool:
    likely = parse.ranking[0][1]
    return likely >= _SURE and likely >= _TIMES_LIKELIER * dict(parse.ranking).get(begun, 0.0)
