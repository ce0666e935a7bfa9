"""From a temper and a number to something a person does: his words, keys, buttons, pauses, and what else happens around him."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from bot.playground.enrolled import shipped_world
from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.store.engine import Tx
from dialogues import staffing
from integrations.ports import Reason
from tests.dialogues.careless import tempers
from tests.dialogues.careless.house import CarelessHouse
from tests.dialogues.careless.screen import Pressable, Screen

T = TypeVar("T")

OPERATOR = PersonId("zhao")
_GIVES_UP = frozenset({*tempers.STOP, "取消", "不付", "不要", "不办了", "算了", "*"})
_SURE = (0.95, 0.9, 0.7, 0.4)
# Who talks with the house, on which channels, and whose affairs touch each other.
CASTS: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = (
    (("limin", ("telegram", "web", "voice")), ("lijg", ("voice", "web"))),
    (("chengfs", ("telegram", "voice", "web")), ("xiaozhou", ("console",))),
    (("chenm", ("telegram", "web", "voice")), ("zhanggf", ("voice", "web"))),
)
_NUMBERS = ("0319001200345678", "3200456701", "2200556677", "34000000881", "1100223344")


@dataclass
class Doing:
    """Everybody of one talk and what they do. `told` is the talk so far, for whoever has to read why it failed."""

    house: CarelessHouse
    screens: Sequence[Screen]
    told: list[str] = field(default_factory=list)
    count: int = 0
    expects_answer: bool = False  # whether the last thing done must be answered
    delivered_again: bool = False  # whether it was an event that had been served before
    understood_nothing: bool = False  # whether it was nothing anybody could understand

    @classmethod
    def of(cls, house: CarelessHouse, cast: int) -> Doing:
        """A cast of the town, each in front of his first channel."""
        known = shipped_world().people
        return cls(
            house,
            [Screen(PersonId(name), channels, known[PersonId(name)].pin) for name, channels in CASTS[cast]],
        )

    def act(self, who: int, what: str, pick: int) -> Screen:
        """One person does one thing. `pick` decides which of many."""
        screen = self.screens[who % len(self.screens)]
        what = screen.next.pop(0) if screen.next else what
        self.expects_answer = self.understood_nothing = self.delivered_again = False
        _DEEDS[what](self, screen, pick)
        return screen

    # --- saying and pressing ------------------------------------------------------------------------------------

    def says(self, screen: Screen, text: str, pick: int = 0) -> None:
        """Writes it, or says it on the telephone, where it is heard more or less surely."""
        kind = InboundKind.VOICE if screen.speaks else InboundKind.TEXT
        sure = _SURE[pick % len(_SURE)] if screen.speaks else 1.0
        self._note_yes(screen, text)
        self.expects_answer = True
        self.sends(screen, self.event(screen, kind, text=text, confidence=sure), f"说: {text}")

    def keys(self, screen: Screen, digits: str) -> None:
        """Presses keys of the telephone."""
        self._note_yes(screen, digits.rstrip("#"))
        self.expects_answer = True
        self.sends(screen, self.event(screen, InboundKind.KEY, text=digits), f"按键: {digits}")

    def press(self, screen: Screen, button: Pressable) -> None:
        """Presses a button, of the newest message or of an old one."""
        if button.message == screen.asked_at and button.payload == "/affirm":
            self._note_yes(screen, tempers.YES[0])
        elif button.payload == "/stop" or (button.payload == "/deny" and screen.is_open(button)):
            screen.yes = None
        self.expects_answer = True
        pressed = self.event(screen, InboundKind.BUTTON, payload={"token": button.token})
        self.sends(screen, pressed, f"点: [{button.title}] 第{button.message}条")

    def _note_yes(self, screen: Screen, text: str) -> None:
        """Whether it could mean yes or that he gives it up, as anybody would take it who knows what he was asked."""
        begun = text.split()[0] if text.split() else text
        if begun in _GIVES_UP:
            screen.yes = None
        elif begun in tempers.YES or begun in ("1", "交"):
            screen.yes = screen.asked if screen.asks == "confirm" else screen.yes

    def event(self, screen: Screen, kind: InboundKind, **what: Any) -> InboundEvent:
        """An event of his own, never seen before."""
        self.count += 1
        return InboundEvent(screen.channel, f"c{self.count}", screen.person, kind, self.house.now, **what)

    def sends(self, screen: Screen, event: InboundEvent, told: str) -> None:
        """Serves it and remembers it for a double tap or a second delivery."""
        screen.last = event
        screen.earlier.append(event)
        self.tell(screen, told)
        self.house.serve(event)

    def tell(self, screen: Screen, told: str) -> None:
        readable = told.encode("utf-8", "replace").decode()
        self.told.append(f"{screen.person}[{screen.channel}] {readable}")


def _one(of: Sequence[T], pick: int) -> T:
    return of[pick % len(of)]


# --- answering what was asked ---------------------------------------------------------------------------------------


def _right(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks:
        _right_by_telephone(doing, screen, pick)
        return
    newest = screen.newest()
    match screen.asks:
        case "confirm" if newest and pick % 3:
            doing.press(screen, next((b for b in newest if b.payload == "/affirm"), newest[0]))
        case "confirm":
            doing.says(screen, _one(tempers.YES, pick) + ("", f" {screen.pin}")[pick % 2])
        case "code":
            doing.says(screen, screen.code if screen.code and pick % 2 else screen.pin)
        case "choice" if newest:
            doing.press(screen, _one(newest, pick))
        case "account":
            doing.says(screen, _one(_NUMBERS, pick))
        case "amount":
            doing.says(screen, _one(("一百块", "50", "三十元"), pick))
        case "name_check" | "consent":
            doing.says(screen, _one(("是", "对", "同意"), pick))
        case _:
            doing.says(screen, _one(tempers.WISHES, pick))


def _right_by_telephone(doing: Doing, screen: Screen, pick: int) -> None:
    match screen.asks:
        case "confirm" | "name_check" | "consent" if pick % 3:
            doing.keys(screen, "1")
        case "confirm" | "name_check" | "consent":
            doing.says(screen, _one(tempers.YES, pick), pick)
        case "code":
            doing.keys(screen, screen.pin)
        case "choice":
            doing.keys(screen, _one(("1", "2", "3"), pick))
        case "account":
            doing.keys(screen, _one(_NUMBERS, pick) + "#")
        case "amount":
            doing.keys(screen, _one(("50#", "100#"), pick))
        case _:
            doing.says(screen, _one(tempers.WISHES, pick), pick)


def _wrong(doing: Doing, screen: Screen, pick: int) -> None:
    match screen.asks:
        case "confirm":
            doing.says(screen, _one(tempers.NO, pick), pick)
        case "code":
            doing.says(screen, _one(("7391", "118822", "0000"), pick))
        case "account":
            doing.says(screen, _one(("99887766", "12", "0319001200354678"), pick))
        case "amount":
            doing.says(screen, _one(("三十块五毛", "一百万", "负五块", "0"), pick))
        case _:
            doing.says(screen, _one((*tempers.NO, "都不是"), pick), pick)


def _saying(of: Sequence[str]) -> Callable[[Doing, Screen, int], None]:
    return lambda doing, screen, pick: doing.says(screen, _one(of, pick), pick)


def _nothing_to_understand(of: Sequence[str]) -> Callable[[Doing, Screen, int], None]:
    """One such thing, or, from whoever will not be put off, three in a row."""

    def say(doing: Doing, screen: Screen, pick: int) -> None:
        doing.understood_nothing = True
        for more in range(3 if pick % 5 == 0 else 1):
            doing.says(screen, _one(of, pick + more), pick)

    return say


def _digits(doing: Doing, screen: Screen, pick: int) -> None:
    said = _one(tempers.DIGITS, pick)
    if screen.speaks and said.isdigit() and pick % 2:
        doing.keys(screen, said)
    else:
        doing.says(screen, said, pick)


def _comfort(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks and pick % 4 == 0:
        doing.keys(screen, "9")
    else:
        doing.says(screen, _one(tempers.COMFORTS, pick), pick)


def _private(doing: Doing, screen: Screen, pick: int) -> None:
    said = _one(tempers.PRIVATE, pick)
    screen.private.update(run for run in ("".join(c for c in said if c.isdigit()),) if len(run) > 4)
    doing.says(screen, said, 0)


def _human(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks and pick % 2:
        doing.keys(screen, "0#" if screen.asks in ("account", "amount", "code") else "0")
    else:
        doing.says(screen, _one(tempers.HUMAN, pick))


def _stop(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks and pick % 2:
        doing.keys(screen, "*")
    else:
        doing.says(screen, _one(tempers.STOP, pick))


# --- misbehaving technique ------------------------------------------------------------------------------------------


def _double(doing: Doing, screen: Screen, pick: int) -> None:
    """The last button or key once more, as fast as the first time."""
    last = screen.last
    if last is None or last.kind not in (InboundKind.BUTTON, InboundKind.KEY):
        _old(doing, screen, pick)
        return
    if last.kind is InboundKind.KEY:
        doing._note_yes(screen, last.text.rstrip("#"))
    doing.count += 1
    again = replace(last, event_id=f"c{doing.count}", at=doing.house.now)
    doing.expects_answer = True
    doing.sends(screen, again, "又按了一次")


def _again(doing: Doing, screen: Screen, pick: int) -> None:
    """The channel delivers something a second time: the last event, or one of long ago."""
    if not screen.earlier:
        return
    event = screen.earlier[-1] if pick % 2 else _one(screen.earlier, pick)
    doing.delivered_again = True
    doing.tell(screen, f"({event.event_id} 又送来一次)")
    doing.house.serve(event)


def _old(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.buttons:
        doing.press(screen, _one(screen.buttons, pick))
    else:
        _wish(doing, screen, pick)


def _restart(doing: Doing, screen: Screen, pick: int) -> None:
    doing.tell(screen, "(重新启动)")
    doing.house.restart()


def _mishap(doing: Doing, screen: Screen, pick: int) -> None:
    """The next calls to the rail are lost, late or not answered."""
    doing.house.mishaps = 1 + pick % 3
    doing.tell(screen, f"(通道接下来出{doing.house.mishaps}次岔子)")


def _page(doing: Doing, screen: Screen, pick: int) -> None:
    doing.tell(screen, "(在付款页上付了)" if doing.house.pay_page() else "(没有打开的付款页)")


def _money(doing: Doing, screen: Screen, pick: int) -> None:
    """The purse is empty, or filled again."""
    town = doing.house.town
    town.declines = None if town.declines else Reason.INSUFFICIENT_FUNDS
    doing.tell(screen, "(钱包空了)" if town.declines else "(钱包有钱了)")


# --- time, channels, people -----------------------------------------------------------------------------------------


def _silence(doing: Doing, screen: Screen, pick: int) -> None:
    """Nothing is said: on the telephone that comes to the desk, in a chat only time passes."""
    doing.house.pass_time(timedelta(seconds=8 + pick % 5))
    if not screen.speaks:
        doing.tell(screen, "(不说话)")
        return
    doing.expects_answer = True
    quiet = doing.event(screen, InboundKind.SILENCE, seconds=8.0)
    doing.tell(screen, "(电话里没有声音)")
    doing.house.serve(quiet)


def _pause(doing: Doing, screen: Screen, pick: int) -> None:
    by = _one(tempers.PAUSES, pick)
    doing.tell(screen, f"(过了 {by})")
    doing.house.pass_time(by)


def _channel(doing: Doing, screen: Screen, pick: int) -> None:
    """He goes on elsewhere: on the telephone he rings up first."""
    others = [c for c in screen.channels if c != screen.channel]
    if not others:
        return
    screen.channel = _one(others, pick)
    doing.tell(screen, "(换到这里)")
    if screen.speaks:
        doing.expects_answer = True
        doing.house.serve(doing.event(screen, InboundKind.CALL))


def _hangup(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks:
        doing.tell(screen, "(挂了电话)")
        doing.house.serve(doing.event(screen, InboundKind.HANGUP))


def _regret(doing: Doing, screen: Screen, pick: int) -> None:
    """He says yes, will not pay after all, and then the code comes out of his mouth all the same."""
    if screen.asks == "confirm":
        _right(doing, screen, pick)
        screen.next += ["no", "code"]
    else:
        _no(doing, screen, pick)
        screen.next.append("code")


def _no(doing: Doing, screen: Screen, pick: int) -> None:
    doing.says(screen, _one(("不付", "不要", "算了"), pick))


def _old_yes(doing: Doing, screen: Screen, pick: int) -> None:
    """A yes under a read-back of before, and the code as if it were about the new one."""
    older = [b for b in screen.buttons if b.payload == "/affirm" and b.message != screen.asked_at]
    if not older:
        _right(doing, screen, pick)
        return
    doing.press(screen, _one(older, pick))
    screen.next.append("code")


def _code(doing: Doing, screen: Screen, pick: int) -> None:
    if screen.speaks:
        doing.keys(screen, screen.pin)
    else:
        doing.says(screen, screen.pin)


def _wish(doing: Doing, screen: Screen, pick: int) -> None:
    doing.says(screen, _one(tempers.WISHES, pick), pick)


def _staff(doing: Doing, screen: Screen, pick: int) -> None:
    """Somebody of ours takes over whoever waits, speaks, and hands back."""

    def held(tx: Tx) -> bool:
        return screen.person in staffing.serving(tx, OPERATOR)

    if not doing.house.store.run_now(held):
        _staff_act(doing, screen, "take_over")
    elif pick % 3:
        _staff_act(doing, screen, "say", _one(tempers.STAFF_WORDS, pick))
    else:
        _staff_act(doing, screen, "hand_back")


def _staff_act(doing: Doing, screen: Screen, act: str, text: str = "") -> None:
    doing.count += 1
    doing.tell(screen, f"(工作人员 {act} {text})")
    doing.house.serve(
        InboundEvent(
            "staff",
            f"s{doing.count}",
            screen.person,
            InboundKind.STAFF,
            doing.house.now,
            text=text,
            payload={"act": act, "staff": OPERATOR},
        )
    )


_DEEDS: dict[str, Callable[[Doing, Screen, int], None]] = {
    "right": _right,
    "wrong": _wrong,
    "nonsense": _nothing_to_understand(tempers.NONSENSE),
    "insult": _nothing_to_understand(tempers.INSULTS),
    "digits": _digits,
    "half": _saying(tempers.HALVES),
    "comfort": _comfort,
    "correct": _saying(tempers.CORRECTIONS),
    "wish": _wish,
    "private": _private,
    "human": _human,
    "stop": _stop,
    "double": _double,
    "again": _again,
    "old": _old,
    "old_yes": _old_yes,
    "regret": _regret,
    "no": _no,
    "code": _code,
    "restart": _restart,
    "mishap": _mishap,
    "page": _page,
    "money": _money,
    "silence": _silence,
    "pause": _pause,
    "channel": _channel,
    "hangup": _hangup,
    "staff": _staff,
}
