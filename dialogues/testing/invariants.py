"""What must be true of every talk at every step, whatever the script is about: S-I1 to S-I10.

Each is one function of a View: it returns what is wrong, or None when this world does not tell enough to judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from data.clock import shanghai
from dialogues.testing.moment import replies
from dialogues.testing.world import Movement, Secret, Sent, WorldFacts

HUMAN_WORDS = frozenset({"人工", "转人工", "找人工", "我要人工", "human", "agent"})
STOP_WORDS = frozenset({"停", "停止", "不弄了", "退出", "stop"})


@dataclass(frozen=True, slots=True)
class Turn:
    """One human step: who, when, and what he wanted if that was plain."""

    person: str
    at: datetime
    mark: int  # messages sent before it
    wish: str = ""  # human | stop


@dataclass(frozen=True, slots=True)
class Stopped:
    """How things stood right after somebody's stop was acknowledged."""

    person: str
    charged: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything sent and true until now. new: index of the first message that no view has shown yet."""

    facts: WorldFacts
    sent: Sequence[Sent]
    new: int = 0
    turns: Sequence[Turn] = ()
    stops: Sequence[Stopped] = ()
    fresh_turn: Turn | None = None  # the human step just played, None after any other step
    spoken: Mapping[str, str] = field(default_factory=dict)  # person -> everything he wrote or keyed

    @property
    def news(self) -> Sequence[Sent]:
        return self.sent[self.new :]


Found = list[str] | None


def charged(facts: WorldFacts) -> int | None:
    """How many different orders the rail was asked to collect."""
    if facts.gateway_calls is None:
        return None
    return len({c.number for c in facts.gateway_calls if c.action == "pay"})


# --- S-I1, S-I2: money moves on a recorded yes, once ----------------------------------------------------------------


def captures_were_confirmed(view: View) -> Found:
    """S-I1: every capture has an earlier recorded yes (or mandate) with the same account, amount and payer."""
    facts = view.facts
    if facts.captures is None or facts.confirmations is None:
        return None
    wanted = Counter(_line(c) for c in facts.captures if not c.given)
    yes = Counter(_line(c) for c in facts.confirmations)
    late = [
        c
        for c in facts.captures
        if not c.given and not any(_line(y) == _line(c) and y.at <= c.at for y in facts.confirmations)
    ]
    return [
        f"captured without a yes: {line} x{n - yes[line]}" for line, n in wanted.items() if n > yes[line]
    ] + [f"captured before the yes: {_line(c)}" for c in late if yes[_line(c)]]


def _line(movement: Movement) -> tuple[str, int, str]:
    return (movement.account, movement.fen, movement.payer)


def captured_once(view: View) -> Found:
    """S-I2: at most one capture of an intent."""
    if view.facts.captures is None:
        return None
    count = Counter(c.intent for c in view.facts.captures if c.intent)
    return [f"captured {n} times: {intent}" for intent, n in count.items() if n > 1]


# --- S-I3: nobody is told of money that did not move ------------------------------------------------------------------

_POSTED = re.compile(r"(?<!是否)(?<!有没有)(?<!不知道)已(?:到账|销账)")
_CAPTURED = re.compile(r"(?<!是否)(?<!有没有)(?<!不知道)已扣(?:款|了)?(?!除)")


def told_only_what_happened(view: View) -> Found:
    """S-I3: 已到账/已销账 only after the biller's acknowledgement, 已扣款 only after the rail's, 已退 only after the refund."""
    facts = view.facts
    if facts.captures is None or facts.posted is None:
        return None
    happened = {"captured": facts.captures, "posted": facts.posted, "refunded": facts.refunds or ()}
    found = []
    for message in view.news:
        if message.speaker != "bot":
            continue  # people answer for themselves
        for claim in _claims(message):
            if not _true(claim, message, happened[claim]):
                found.append(f"told {message.person} {claim} although it is not: {message.text!r}")
    return found


def _claims(message: Sent) -> Iterator[str]:
    if message.claims in ("captured", "posted", "refunded"):
        yield message.claims
    if message.claims is None and _POSTED.search(message.text):
        yield "posted"
    if message.claims is None and _CAPTURED.search(message.text):
        yield "captured"


def _true(claim: str, message: Sent, happened: Sequence[Movement]) -> bool:
    """A claim names its payment; words without a claim must at least speak of some movement that took place."""
    if message.payment is not None:
        return any(m.intent == message.payment for m in happened)
    return any(m.at <= message.at for m in happened)


# --- S-I4, S-I5 -------------------------------------------------------------------------------------------------------


def books_balance(view: View) -> Found:
    """S-I4: the ledger balances and its chain verifies; no money invariant is broken."""
    if view.facts.ledger_ok is None:
        return None
    return [*([] if view.facts.ledger_ok else ["the ledger does not verify"]), *view.facts.broken]


def secrets_stay(view: View) -> Found:
    """S-I5: no full account number, code or PIN in a log, nor in a message to anybody but its owners."""
    secrets, logs = view.facts.secrets, view.facts.logs
    if secrets is None:
        return None
    logged = [s for s in secrets if logs is not None and _stands_in(s.value, logs)]
    told = [(s, m) for s in secrets for m in view.news if m.person not in s.owners and _tells(m, s, view)]
    return [f"a log holds a full {s.kind}" for s in logged] + [
        f"{m.person} was told a full {s.kind} of somebody else" for s, m in told
    ]


def _tells(message: Sent, secret: Secret, view: View) -> bool:
    """What the person just wrote himself may be read back to him: it is no news to him."""
    own_words = view.spoken.get(message.person, "")
    return _stands_in(secret.value, message.text) and not _stands_in(secret.value, own_words)


def _stands_in(secret: str, text: str) -> bool:
    """Also when it is read in groups; never as part of a longer number."""
    if len(secret) < 4:
        return False
    return re.search(r"(?<!\d)" + r"[ \-]?".join(map(re.escape, secret)) + r"(?!\d)", text) is not None


# --- S-I6: a person, and an end, from everywhere -----------------------------------------------------------------------


def person_in_one_turn(view: View) -> Found:
    """S-I6, first half: 人工 or 0 reaches a person or a ticket in that very turn."""
    turn = view.fresh_turn
    if turn is None or turn.wish != "human":
        return []
    talk = view.facts.talks.get(turn.person)
    if talk is None and view.facts.tickets is None:
        return None
    waiting = talk is not None and talk.mode in ("waiting", "human")
    ticketed = any(t.get("person") == turn.person for t in view.facts.tickets or ())
    return [] if waiting or ticketed else [f"{turn.person} asked for a person and reached none"]


def stop_ends_it(view: View) -> Found:
    """S-I6, second half: after an acknowledged 停 nothing is sent to the rail without a new yes."""
    now, yeses = charged(view.facts), view.facts.confirmations
    if now is None or yeses is None:
        return None
    found = [
        f"sent to the rail after {stop.person} stopped, without a new yes"
        for stop in view.stops
        if now - stop.charged > len(yeses) - stop.confirmed
    ]
    turn = view.fresh_turn
    if turn is not None and turn.wish == "stop" and not any(s.person == turn.person for s in view.news):
        found.append(f"{turn.person} said stop and was not answered")
    return found


# --- S-I7, S-I8: how it is said ------------------------------------------------------------------------------------------


def never_three_times(view: View) -> Found:
    """S-I7: the bot never says the same sentence in three replies in a row, nor asks the same way a third time."""
    found = []
    for person in sorted({s.person for s in view.news}):
        said = replies([s for s in view.sent if s.person == person])[-3:]
        if len(said) == 3 and all(
            s.speaker == "bot" for reply in said for s in reply
        ):  # a person's words part them
            again = set.intersection(*({s.text for s in reply} for reply in said))
            found += [f"{person} heard three times in a row: {text!r}" for text in sorted(again)]
    return found


_PAUSE = re.compile(r"[，。；：！？、,.;:!?\n…—]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_KEY_CHOICE = re.compile(r"按\s*([1-9])")
_AMOUNT = re.compile(r"\d+(?:\.\d{1,2})?\s*元")


def easy_to_take_in(view: View) -> Found:
    """S-I8: by voice at most 3 choices and 40 Chinese characters between pauses; a card: 5 lines, amount on its own."""
    found: list[str] = []
    for message in view.news:
        if message.channel == "voice" and message.speaker == "bot":
            found += _by_ear(message)
        if message.card is not None:
            found += _by_eye(message.card)
    return found


def _by_ear(message: Sent) -> Iterator[str]:
    text = message.spoken if message.spoken is not None else message.text
    if len(set(_KEY_CHOICE.findall(text)) - {"9"}) > 3:
        yield f"more than three choices by voice: {text!r}"
    for breath in _PAUSE.split(text):
        if (length := len(_CHINESE.findall(breath))) > 40:
            yield f"{length} characters without a pause: {breath!r}"


def _by_eye(card: Sequence[str]) -> Iterator[str]:
    if len(card) > 5:
        yield f"{len(card)} lines on a card"
    for line in card:
        if (amount := _AMOUNT.search(line)) and _CHINESE.search(line.replace(amount[0], "")):
            yield f"an amount shares its line: {line!r}"


# --- S-I9, S-I10 -----------------------------------------------------------------------------------------------------------


def households_apart(view: View) -> Found:
    """S-I9: nobody's data was read for somebody who might not see it at that moment."""
    if view.facts.reads is None:
        return None
    return [f"{r.person} was shown data of {r.account}" for r in view.facts.reads if not r.allowed]


_ANSWER_WINDOW = timedelta(minutes=30)


def nights_are_quiet(view: View) -> Found:
    """S-I10: between 21:00 and 08:00 only a cut-off risk, or what that person asked for within 30 minutes."""
    return [
        f"{message.person} was written to at {shanghai(message.at):%H:%M}"
        for message in view.news
        if _at_night(message.at) and not message.urgent and not _just_asked(message, view.turns)
    ]


def _at_night(at: datetime) -> bool:
    return not 8 <= shanghai(at).hour < 21


def _just_asked(message: Sent, turns: Sequence[Turn]) -> bool:
    return any(t.person == message.person and t.at <= message.at <= t.at + _ANSWER_WINDOW for t in turns)


INVARIANTS: Mapping[str, tuple[Callable[[View], Found], ...]] = {
    "S-I1": (captures_were_confirmed,),
    "S-I2": (captured_once,),
    "S-I3": (told_only_what_happened,),
    "S-I4": (books_balance,),
    "S-I5": (secrets_stay,),
    "S-I6": (person_in_one_turn, stop_ends_it),
    "S-I7": (never_three_times,),
    "S-I8": (easy_to_take_in,),
    "S-I9": (households_apart,),
    "S-I10": (nights_are_quiet,),
}


def check(view: View) -> tuple[list[str], set[str]]:
    """(what is broken, names of the invariants this world does not tell enough to judge)."""
    broken, unknown = [], set()
    for name, functions in INVARIANTS.items():
        for function in functions:
            found = function(view)
            if found is None:
                unknown.add(name)
            else:
                broken += [f"{name}: {each}" for each in found]
    return broken, unknown
