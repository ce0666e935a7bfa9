"""The parts of a talk: flows as written in the files, a conversation as it stands, and what is said and done next.

Everything here is frozen and plain: a conversation can be written to the store, replayed and walked exhaustively.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from data.ids import PersonId
from nlu.commands import Command

# --- flows, domain, responses: what the files say ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Where:
    """Place in a file, for messages to whoever writes flows."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Branch:
    """One arm of `next`: a predicate (None for else) and where it leads: a step id or END."""

    condition: Any  # dialogues.predicate.Predicate | None
    target: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value that is refused at a collect, and what is said then."""

    condition: Any
    utter: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow. Nested then/else lists are flattened by the loader; ids are unique within the flow."""

    id: str
    kind: Literal["action", "collect", "set_slots", "call", "link", "noop"]
    where: Where
    next: tuple[Branch, ...]  # always at least one; the last has condition None
    action: str = ""
    collect: str = ""  # slot
    utter: str = ""  # the question of a collect
    ask_before_filling: bool = False
    force_slot_filling: bool = False
    rejections: tuple[Rejection, ...] = ()
    assignments: tuple[tuple[str, Any], ...] = ()
    flow: str = ""  # call and link
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """A piece of business, read from a file."""

    id: str
    name: Mapping[str, str]  # language -> how people call it (交电费)
    description: str
    steps: Mapping[str, Step]  # in file order
    first: str
    guard: Any | None  # predicate; a flow whose guard is false starts only by call or link
    intents: tuple[str, ...]
    persisted: tuple[str, ...]
    where: Where


@dataclass(frozen=True, slots=True)
class Filling:
    """One way in which a slot is filled; `kind` as in Rasa's mappings. Empty `intents` and `flows` mean any."""

    kind: str  # custom from_llm controlled from_text from_intent from_trigger_intent from_entity
    intents: tuple[str, ...] = ()
    not_intents: tuple[str, ...] = ()
    entity: tuple[str, str, str] = ("", "", "")  # name, role, group
    value: Any = None
    flows: tuple[str, ...] = ()  # it counts only while one of these is on top


@dataclass(frozen=True, slots=True)
class Slot:
    """A value a talk can hold. `depends_on`: when one of those changes, this one is no longer true."""

    name: str
    type: str  # text bool categorical float list any + money account digits date person mandate
    values: tuple[str, ...] = ()
    initial: Any = None
    depends_on: tuple[str, ...] = ()
    sensitive: bool = False
    where: Where = Where("", 0)
    lowest: float | None = None  # of a float
    highest: float | None = None
    fillings: tuple[Filling, ...] = ()
    rejections: tuple[Rejection, ...] = ()  # of a value, wherever people say it
    refill: str = ""  # the question after such a rejection; "" for the usual one


@dataclass(frozen=True, slots=True)
class ButtonSpec:
    """A button as written: its title and what pressing it means (/affirm, /deny, /choose{value}, /human, /stop, or plain text)."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Variation:
    """One wording of a response, for a channel kind and condition."""

    text: str
    buttons: tuple[ButtonSpec, ...]
    channel: str | None  # "voice", "chat", the name of a channel, or None for any
    condition: Any | None
    metadata: Mapping[str, Any]  # claims: captured|posted|refunded; interruptible: false
    where: Where
    id: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """When a talk that was left is a new one: after so many minutes (0: never), with or without its values."""

    minutes: float = 0
    carries_over: bool = True


@dataclass(frozen=True, slots=True)
class Release:
    """All flows, slots and sentences together, named by the hash of their content (dialogues.content). Immutable."""

    id: str
    flows: Mapping[str, Flow]
    slots: Mapping[str, Slot]
    responses: Mapping[str, Mapping[str, tuple[Variation, ...]]]  # locale -> name -> variations
    actions: Mapping[str, ActionSpec]
    session: Session = Session()
    packed: bytes = field(default=b"", repr=False, compare=False)  # its content as it is kept in the store


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """What an action promises: its outcomes, what it reads and writes, and whether it needs the outside world.

    outside=False runs inside the turn's transaction; outside=True runs after it, and its answer comes back as an event.
    """

    name: str
    outcomes: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    outside: bool = False
    deadline_seconds: float = 20.0
    reads_others: bool = False


# --- a conversation as it stands ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrailMark:
    """A step really taken in this talk, and the slot it filled (collect) or the slots it wrote (action)."""

    step: str
    slots: tuple[str, ...]
    turn: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of business under way.

    phase: "run" about to run `step` · "ask" listening at a collect · "call" waiting for an action's answer ·
    "propose" waiting for the till's read-back · "confirm" listening for the yes · "code" listening for PIN or code ·
    "check" waiting for the factor's verdict · "commit" waiting for the till · "outcome" committed, result not in yet ·
    "resume" listening whether to go on with this interrupted frame
    """

    flow: str
    step: str
    kind: Literal["regular", "interrupt", "call", "link", "system"] = (
        "regular"  # system: begun by news, not by a wish
    )
    phase: str = "run"
    trail: tuple[TrailMark, ...] = ()
    call_id: str = ""
    context: Mapping[str, Any] = field(
        default_factory=dict, repr=False
    )  # last outcome, act, digest, strength …
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Preferences:
    """How this person wants to be spoken to."""

    locale: str = "zh"
    large: bool = False
    voice_reply: bool = False
    rate: float = 1.0  # speech rate; below 1 is slower
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """A response as it was said last: enough to say it again, slower or larger, with the same facts."""

    response: str
    values: Mapping[str, Any] = field(repr=False)
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything a talk with one person remembers between two turns."""

    person: PersonId
    release: str
    stack: tuple[Frame, ...] = ()  # last is on top
    slots: Mapping[str, Any] = field(default_factory=dict, repr=False)
    preferences: Preferences = Preferences()
    last_said: tuple[Told, ...] = ()
    recent: tuple[
        str, ...
    ] = ()  # marks of the last two texts, so that none is said three times in a row (L10)
    prompt: int = 0  # number of the newest question; a confirmation counts only for it
    turn: int = 0
    misses: int = 0  # in a row at the open prompt
    silences: int = 0
    mode: Literal["bot", "waiting", "human"] = "bot"
    staff: str = ""  # who speaks while mode is human
    channel: str = ""  # where the person spoke last
    pending_wishes: tuple[Command, ...] = ()  # further wishes of the same sentence, served in order
    revision: int = 0
    heard_at: datetime | None = None  # when the person said something last

    @property
    def top(self) -> Frame | None:
        return self.stack[-1] if self.stack else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a step may know of the world: never a clock of its own."""

    now: datetime
    channel: str  # adapter name: web, console, voice, telegram …
    spoken: bool  # a telephone: keys and short breaths
    person_values: Mapping[str, Any] = field(
        default_factory=dict, repr=False
    )  # person_name, elder, low_sight …


# --- inputs and effects of one step ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What the person said, as commands that passed the guard."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An action, the till or a factor check came back."""

    call_id: str
    outcome: str
    slots: Mapping[str, Any] = field(default_factory=dict, repr=False)


# The outcome of an act that another began: nobody's yes is waited for any more.
OVER = "over"


@dataclass(frozen=True, slots=True)
class News:
    """Something happened (a payment was captured, a call came in): the flow that tells it, and its facts."""

    flow: str
    slots: Mapping[str, Any] = field(default_factory=dict, repr=False)
    act: str = ""  # when it decides an act somebody waits for
    outcome: str = ""  # paid | refused | checking | waiting_payer | over
    aside: bool = (
        False  # said on another road than the talk's: what is open in the talk stays as it stands there
    )


@dataclass(frozen=True, slots=True)
class Renewed:
    """The flows this talk was in are not there any more; what of it stands in the flows that are is taken up again.

    how: "goes_on" the person waits for the next question · "waits" something else comes first, and the business is offered
    afterwards · "leaves" he wants to go, or a person of ours is speaking: nothing is said.
    answers: what he just said, as far as it is an answer and no yes.
    """

    how: Literal["goes_on", "waits", "leaves"]
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)


Input = Heard | Answered | News | Renewed


@dataclass(frozen=True, slots=True)
class Say:
    """Say this response with these values."""

    response: str
    values: Mapping[str, Any] = field(repr=False)
    asks: str | None = (
        None  # what is waited for: account, name_check, amount, confirm, choice, consent, code, open
    )
    prompt: int = 0
    slower: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Run this action with the slots it reads; answer with Answered(call_id, …)."""

    call_id: str
    action: str
    arguments: Mapping[str, Any] = field(repr=False)
    outside: bool
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Propose:
    """Ask the till to propose an act from these slots; outcomes: proposed | refused."""

    call_id: str
    act: str  # kind: pay
    arguments: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssueCode:
    """Send a one-time code for this act, if the person uses codes. No answer is awaited."""

    act: str


@dataclass(frozen=True, slots=True)
class CheckFactor:
    """Is this PIN or code right? outcomes: passed | wrong | blocked | expired."""

    call_id: str
    act: str
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Commit:
    """The person said yes to the newest read-back. outcomes: submitted | already | refused."""

    call_id: str
    act: str
    digest: str
    how: str  # word | key | button | spoken
    factor: str = ""  # pin | code


@dataclass(frozen=True, slots=True)
class CancelAct:
    """The person does not want this act any more. No answer is awaited."""

    act: str


@dataclass(frozen=True, slots=True)
class StopEverything:
    """停: send nothing further, cancel what was not sent. outcomes: nothing_sent | in_flight."""

    call_id: str


@dataclass(frozen=True, slots=True)
class SetPreference:
    """Keeps how this person wants to be served."""

    preferences: Preferences


@dataclass(frozen=True, slots=True)
class EndTalk:
    """The talk, or the call, is over."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is wrong on our side; a person must look. Never shown to the one we talk with."""

    what: str


Effect = (
    Say
    | Call
    | Propose
    | IssueCode
    | CheckFactor
    | Commit
    | CancelAct
    | StopEverything
    | SetPreference
    | EndTalk
    | Alarm
)


# --- what is said ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Button:
    """A button as sent: a title and an opaque token bound to person and prompt."""

    title: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """A message before any channel has shaped it. `text` is canonical; `asks` says what is waited for."""

    response: str
    text: str
    buttons: tuple[Button, ...] = ()
    asks: str | None = None
    claims: str | None = None
    payment: str | None = None
    interruptible: bool = True
    slower: bool = False
    rate: float = 1.0
    large: bool = False
    speaker: str = "bot"  # bot, or the name of the member of staff who speaks
    link: str | None = None  # hosted payment page
    ends: bool = False
    to_channel: str | None = None
