"""What a person can want in one turn, and what the state of the talk allows him to answer.

Understanding only proposes; `dialogues.guard` drops what the state does not allow. No command here pays or confirms a
payment by itself: Affirm counts only at the newest prompt of a commit, and only from a closed list, a key or a button.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StartFlow:
    """Begin a piece of business."""

    flow: str
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetSlot:
    """A value the person gave, in canonical form (money: fen; account: digits)."""

    slot: str
    value: Any


@dataclass(frozen=True, slots=True)
class CorrectSlot:
    """不对,是…: replaces a value given before. An absent value (None) means only "that was wrong"."""

    slot: str
    value: Any


@dataclass(frozen=True, slots=True)
class Doubt:
    """One place of a number that was not heard surely: `position` counts from 0, `candidates` are what it may be."""

    position: int
    candidates: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DoubtfulDigits:
    """A number of which some digits are unsure: `value` holds "?" there; only those places are asked again.

    Like the value of SetSlot for digits, `value` already begins with what Expectation.collected held.
    """

    slot: str
    value: str = field(repr=False)
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Affirm:
    """Yes. `strength` says how: "word" (text), "spoken", "key", "button"."""

    strength: str = "word"


@dataclass(frozen=True, slots=True)
class Deny:
    """No."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Took one of the offered choices (by its value)."""

    value: str


@dataclass(frozen=True, slots=True)
class Code:
    """A PIN or one-time code; never logged."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelFlow:
    """Not this piece of business any more."""


@dataclass(frozen=True, slots=True)
class Stop:
    """停 / 不弄了 / *: everything ends, nothing further is sent."""


@dataclass(frozen=True, slots=True)
class Human:
    """人工 / 0."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say it again."""

    slower: bool = False
    louder: bool = False


@dataclass(frozen=True, slots=True)
class Bigger:
    """字太小."""


@dataclass(frozen=True, slots=True)
class Explain:
    """为什么 / 我不知道户号 / 怎么看: asks about the question just asked or the amount just told.

    Any other topic is something asked in passing (有没有优惠): said in short, and the question stays.
    """

    topic: str = "why"  # "why" | "how" | one of nlu/passing.py


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this question out."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with what was interrupted."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was said for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Bye:
    """谢谢 / 再见: the talk is over for the person."""


@dataclass(frozen=True, slots=True)
class Greet:
    """您好."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Something we never take or never do: a card number, a bank code, a scam. `kind` names which."""

    kind: str  # "card_number" | "bank_code" | "scam" | "too_long" | "approximate_amount"


@dataclass(frozen=True, slots=True)
class Clarify:
    """Several readings are as good: ask which."""

    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CannotHandle:
    """Nothing in it is ours, or nothing was understood."""

    reason: str = "not_understood"


Command = (
    StartFlow
    | SetSlot
    | CorrectSlot
    | DoubtfulDigits
    | Affirm
    | Deny
    | Choose
    | Code
    | CancelFlow
    | Stop
    | Human
    | Repeat
    | Bigger
    | Explain
    | Skip
    | Resume
    | Silence
    | Bye
    | Greet
    | Refuse
    | Clarify
    | CannotHandle
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What this state waits for, so that understanding and the telephone's ears can listen for it.

    asks: "open" | "account" | "name_check" | "amount" | "confirm" | "choice" | "consent" | "code"
    slot: the slot being filled, None at an open prompt
    choices: value -> the words and keys that mean it ({"electricity": ("电费", "电", "1")})
    digits: (min, max) when digits are collected, else None
    known_numbers: account numbers this person may use, for sounds-alike matching; never shown
    amounts: the fen amounts just read back (a "say the amount" confirmation compares with them)
    collected: digits collected so far in this question (an account number said in parts)
    """

    asks: str = "open"
    slot: str | None = None
    slot_type: str = "any"
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    digits: tuple[int, int] | None = None
    known_numbers: tuple[str, ...] = field(default=(), repr=False)
    amounts: tuple[int, ...] = ()
    collected: str = field(default="", repr=False)
    in_flow: str | None = None
    voice: bool = False
    locale: str = "zh"


@dataclass(frozen=True, slots=True)
class Utterance:
    """What reached us, before any meaning. `keys` are telephone or keypad digits."""

    text: str = field(default="", repr=False)
    nbest: tuple[str, ...] = field(default=(), repr=False)
    confidence: float = 1.0
    keys: str = field(default="", repr=False)
    voice: bool = False
