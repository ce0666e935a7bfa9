"""The world a talk is played in, as the conversation tests see it: people act, time passes, things happen, one looks.

`World` is all the runner knows of the application (a small port: whoever builds the application supplies it). One world
serves one case: start, arrange, then people and events, then close. Nothing here sleeps: time is a clock that the
runner moves. Whatever a world cannot do it names: `supports(key)` is False, or a method raises Unsupported(key).

Keys are dotted names of the notation, so that a report can say exactly what is missing:

    given.KEY        given.gateway, given.outlets_near …          fault.NAME    fault.timeout_then_paid_after, fault.down …
    step.KIND        step.say, step.voice, step.photo …           tap.COMMAND   tap.take_over, tap.affirm …
    event.NAME       event.meter, event.callbacks, event.race …   audit.KIND    audit.name_check_failed …
    expect.KEY       expect.image, expect.slower …                ticket.KIND   ticket.callback …
    then.KEY         then.captures, then.mandates …               channel.NAME  channel.voice …
    persona.stranger · fixtures · stub_custom_actions · deploy · assertion.NAME (assertion.flow_started …)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol


class Unsupported(Exception):
    """The world or the application cannot do this yet. `key` says what, in the words of the notation."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a case is played.

    town: the raw `world:` mapping of the script's file; None means the town that ships.
    channels: person -> channel kind that differs from the person's own (telegram, voice, console, web).
    locales: person -> language the person has chosen before the talk (en).
    start: the instant at which the first step happens; None means 2026-03-10 09:00 in Shanghai.
    persona: whose talk it is; a `given` without a name is his.
    """

    town: Mapping[str, Any] | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    locales: Mapping[str, str] = field(default_factory=dict)
    start: datetime | None = None
    persona: str = ""


@dataclass(frozen=True, slots=True)
class SentButton:
    """A button as the person sees it, with the meaning it was written with (/affirm); "" when the world cannot tell."""

    title: str
    payload: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that reached a person, before any channel shaped it.

    text: canonical text (2.47元, not 二元四角七分). asks: what is waited for after it, None when it asks nothing.
    claims/payment: what it asserts about money, and of which payment (`Movement.intent`).
    cause: names the reply it belongs to (the turn or news that caused it); messages of one reply share it. Spoken form, card lines, image and voice note
    stay None where no renderer exists. rate: of speech, 1.0 is usual.
    image = {min_font_px, contrast, width_px, text}.
    about: account ids it tells data of, None when the world cannot tell. urgent: a cut-off risk within 24 hours.
    """

    person: str
    text: str
    at: datetime
    channel: str = "console"
    asks: str | None = None
    response: str = ""
    buttons: tuple[SentButton, ...] = ()
    claims: str | None = None
    payment: str | None = None
    speaker: str = "bot"
    cause: str = ""
    rate: float = 1.0
    large: bool = False
    ends: bool = False
    urgent: bool = False
    spoken: str | None = None
    card: tuple[str, ...] | None = None
    image: Mapping[str, Any] | None = None
    voice_note: bool | None = None
    about: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved, or a yes to move it. `intent` is one row of payments (its id): the same for ever, whatever is retried.

    account: the world's account id (E-LI). payer: whose money. given: it was arranged
    (also when an arranged order is captured only during the talk): no yes is looked for.
    """

    account: str
    fen: int
    payer: str
    at: datetime
    intent: str = ""
    given: bool = False


@dataclass(frozen=True, slots=True)
class TalkEvent:
    """Something that happened inside a conversation, in the words of Rasa's assertions.

    kind: flow_started | flow_completed | flow_cancelled (name = flow, step = where it stood) · action_executed (name) ·
    slot_was_set (name = slot, value) · bot_uttered (name = response) · clarification (name = a flow offered).
    """

    kind: str
    name: str
    value: Any = None
    step: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as it stands. `events`: everything since the start of the case, oldest first; None: cannot tell.

    waits_for: what kind of answer is open now (account … code; the engine's expectation), "open" when nothing is asked.
    None when unknown: then the last reply's own `asks` must do.
    mode: bot | waiting | human.
    """

    slots: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "bot"
    waits_for: str | None = None
    events: Sequence[TalkEvent] | None = None


@dataclass(frozen=True, slots=True)
class GatewayCall:
    """One request that reached the rail. `action`: pay (charge or hosted start) | status | close | refund; `number`: its order."""

    action: str
    number: str


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must stay out of logs, and out of messages to anybody but `owners`."""

    kind: str  # account, pin, code
    value: str = field(repr=False)
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DataRead:
    """Somebody's data was read for `person`. `allowed`: he might see it at that moment."""

    person: str
    account: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class WorldFacts:
    """What is true now. None means "this world cannot tell": what asks for it is then unsupported or left out, by name.

    captures: what the rail really took (asked of the rail, not of our own rows). posted: what billers acknowledged.
    refunds: given back. holds: amounts still reserved. confirmations: every recorded yes (a confirmed act's line, or a
    mandate's run) with the account, amount and payer it named.
    state: of the payment that was begun last (paid, pending, …). tickets: open ones as {kind, person, reason, to, …}.
    grants: elder -> grants he has given. prefs: person -> what he prefers ({large: true, voice_reply: true}).
    audit: kinds recorded so far. not_there: flows or actions a person asked for that the application does not have
    yet, named (flow.pay_several): the case becomes unsupported instead of failed.
    broken: money invariants that do not hold (M-I…). more: any other key of `then`, by its name, with its true value.
    """

    now: datetime
    captures: Sequence[Movement] | None = None
    posted: Sequence[Movement] | None = None
    refunds: Sequence[Movement] | None = None
    holds: Sequence[Movement] | None = None
    confirmations: Sequence[Movement] | None = None
    gateway_calls: Sequence[GatewayCall] | None = None
    state: str | None = None
    tickets: Sequence[Mapping[str, Any]] | None = None
    mandates: Sequence[Mapping[str, Any]] | None = None
    grants: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    prefs: Mapping[str, Mapping[str, Any]] | None = None
    audit: Sequence[str] | None = None
    talks: Mapping[str, Talk] = field(default_factory=dict)
    ledger_ok: bool | None = None
    broken: Sequence[str] = ()
    logs: str | None = field(default=None, repr=False)
    secrets: Sequence[Secret] | None = field(default=None, repr=False)
    reads: Sequence[DataRead] | None = None
    not_there: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


class World(Protocol):
    """The application with its outside world, played at a virtual clock.

    Every method that lets something happen returns only when all that follows from it at this instant has happened:
    outside answers came back through the door, payments were advanced as far as they go now, news were told.
    """

    def supports(self, key: str) -> bool:
        """Whether this world can do or tell `key` (list in the module's docstring). Asked before `start`; be honest."""

    async def start(self, stage: Stage) -> None:
        """Builds everything fresh: store, town, billers, rail, desk, clocks. Called once, first."""

    async def arrange(self, given: Mapping[str, Any]) -> None:
        """Makes a `given:` mapping true, keys and values as in the notation. Called once or more, before steps.

        What is given holds since 2026-03-09 09:00 Shanghai unless it has an `at`. Nothing arranged here counts as
        something the person did, and nobody is told of it. Two differences: `history` arrives only as the name of a
        sample of talks (the runner plays scripts itself), and `mandate` always arrives as a list of mappings. A test case in Rasa's format may also bring
        `slots: {name: value}` and `stub_custom_actions`. Raises Unsupported.
        """

    async def say(self, person: str, text: str) -> None:
        """The person writes this on his channel (on a telephone: the recogniser heard exactly this, surely).

        A member of staff who has taken somebody over speaks to that person. `stranger` is nobody's person id: an
        address the system has never seen, always the same one within a case.
        """

    async def voice(self, person: str, nbest: Sequence[str], confidence: float) -> None:
        """The recogniser returned these alternatives, best first, with this confidence of the first (0 to 1)."""

    async def key(self, person: str, keys: str) -> None:
        """Telephone keys, or on a chat the on-screen keypad. Several at once ("1234#") are pressed in this order."""

    async def tap(self, person: str, command: str, arguments: Sequence[str]) -> None:
        """Presses the newest button that means this command (affirm, deny, human, …), or a staff command:
        call_elder_now · take_over(person) · hand_back_with(act, account). AssertionError when there is no such button.
        """

    async def press(self, person: str, label: str, back: int = 0) -> None:
        """Presses the button with this title or payload; of several messages that carry it the newest, or the one
        `back` messages before it (a stale button). AssertionError when there is none.
        """

    async def photo(self, person: str, file: str, content: str) -> None:
        """Sends a picture that shows `content` (barcode 3200456701, unreadable, a web address)."""

    async def silence(self, person: str, lasting: timedelta) -> None:
        """Nothing is said for so long: the clock moves, and the telephone's silence comes to the desk."""

    async def call_in(self, person: str, number: str) -> None:
        """A call arrives from this number; the person speaks."""

    async def hangup(self, person: str) -> None:
        """The person puts the receiver down."""

    async def advance(self, by: timedelta) -> None:
        """Moves all clocks together and does what became due, in the order in which it became due."""

    async def event(self, name: str, value: Any) -> None:
        """Something happens outside: name and value of `event:` as in the notation (meter, biller_ack, gateway …).

        `race` and `process` never arrive here: the runner plays the first and calls `restart` for the second.
        Raises Unsupported.
        """

    async def ways(self, person: str) -> tuple[str, ...]:
        """The kinds of channel on which this person may go on with his talk, his own first; only that where he has no other."""

    async def here(self, person: str) -> str:
        """The kind of channel on which he acts now."""

    async def go(self, person: str, channel: str) -> None:
        """From here on he acts on this one of his `ways`. Leaving the telephone he hangs up; going to it he rings up first."""

    async def redeliver(self, person: str) -> None:
        """The channel delivers this person's last input once more, under the same event id."""

    async def double_tap(self, person: str) -> bool:
        """The person's last button or single key is pressed once more (new event id, same token).

        False, and nothing happens, when his last input was neither.
        """

    async def restart(self) -> None:
        """The application dies as if killed and starts again on the same store; the outside world keeps running."""

    async def second_factor(self, person: str, kind: Literal["code", "pin"]) -> str:
        """The right digits for this person now: the newest one-time code sent to his second address (when none was
        sent: his PIN), or his PIN. Raises Unsupported when he has neither.
        """

    async def placeholder(self, person: str, name: str) -> str:
        """Value of `{helper_login}`, `{token}` or `{invitation_code}` for this person. Raises Unsupported."""

    async def sent(self) -> Sequence[Sent]:
        """Everything sent to everybody since the start of the case, oldest first; the list only grows.

        One-time codes to second addresses are not among it (see `second_factor`), nor what `arrange` did.
        """

    async def facts(self) -> WorldFacts:
        """What is true now. Must change nothing."""

    async def close(self) -> None:
        """Stops what runs and forgets everything. Called once, always, also after a failed start."""


# One fresh world a case.
WorldFactory = Callable[[], World]
