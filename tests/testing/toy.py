"""A toy application with one account, so small that a test can see what the runner ought to say about it.

朱莉 (`mei`) owes 46.50 for water. 交水费 asks for a yes, the yes asks for a code, the right code takes the money; 人工, 停 and
keys work. A `flaw` breaks exactly one promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from data.clock import VirtualClock
from dialogues.testing.world import (
    DataRead,
    GatewayCall,
    Movement,
    Secret,
    Sent,
    SentButton,
    Stage,
    Talk,
    TalkEvent,
    Unsupported,
    WorldFacts,
)

NUMBER = "2200556677"
PIN = "4071"
CODE = "808153"
YES = ("确认", "好的", "1", "yes")


@dataclass
class Life:
    """What one person's talk remembers."""

    asks: str = "open"
    mode: str = "bot"
    last: tuple[str, str] = ("", "")
    handled: set[str] = field(default_factory=set)
    events: list[TalkEvent] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass
class ToyWorld:
    """flaw: double_charge | charge_twice_when_restarted | no_person | deaf_to_stop | stops_late | lies | leaks | nags | forgets_yes |
    talks_at_night | shows_others | hangs | forgets_elsewhere.
    """

    flaw: str = ""
    missing: frozenset[str] = frozenset()
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(datetime(2026, 3, 10, 1, tzinfo=UTC)))
    out: list[Sent] = field(default_factory=list)
    captures: list[Movement] = field(default_factory=list)
    posted: list[Movement] = field(default_factory=list)
    confirmations: list[Movement] = field(default_factory=list)
    calls: list[GatewayCall] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    lives: dict[str, Life] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    stage: Stage = field(default_factory=Stage)
    wanted: list[str] = field(default_factory=list)
    logs: str = ""
    turn: int = 0
    restarts: int = 0
    closed: bool = False
    due: list[tuple[datetime, str, str]] = field(default_factory=list)

    # --- the port ---

    def supports(self, key: str) -> bool:
        return key not in self.missing

    async def start(self, stage: Stage) -> None:
        self.stage = stage
        if stage.start is not None:
            self.clock.at = stage.start

    async def arrange(self, given: Mapping[str, Any]) -> None:
        if "tamper" in given:
            raise Unsupported("given.tamper")
        if "history" in given:
            raise Unsupported(f"given.history.{given['history']}")
        self.given.update(given)
        if done := given.get("payment_done"):
            self.captures.append(
                Movement(done["account"], done["fen"], "mei", self.clock.now(), "old", given=True)
            )

    async def say(self, person: str, text: str) -> None:
        await self._hear(person, "say", text)

    async def voice(self, person: str, nbest: Sequence[str], confidence: float) -> None:
        await self._hear(person, "voice", nbest[0] if confidence >= 0.5 else "")

    async def key(self, person: str, keys: str) -> None:
        await self._hear(person, "key", {"0": "人工", "*": "停"}.get(keys, keys))

    async def tap(self, person: str, command: str, arguments: Sequence[str]) -> None:
        await self.press(person, "/" + command)

    async def press(self, person: str, label: str, back: int = 0) -> None:
        carrying = [
            s
            for s in self.out
            if s.person == person and any(label in (b.title, b.payload) for b in s.buttons)
        ]
        assert len(carrying) > back, f"no button {label} for {person}"
        # A button counts for the newest question only.
        if carrying[-1 - back] is self._last(person) or self.flaw == "stale_buttons":
            await self._hear(person, "key", "确认")
        else:
            self._send(person, "这个按钮过时了。")

    async def photo(self, person: str, file: str, content: str) -> None:
        self._send(person, f"看到了:{content}")

    async def silence(self, person: str, lasting: timedelta) -> None:
        self.clock.advance(lasting)
        self._send(person, "不着急，我在听。", asks="open")

    async def call_in(self, person: str, number: str) -> None:
        self._send(person, "您好，请讲。", asks="open", channel="voice", spoken="您好，请讲。")

    async def hangup(self, person: str) -> None:
        self.lives.pop(person, None)

    async def advance(self, by: timedelta) -> None:
        until = self.clock.now() + by
        for at, person, text in [d for d in self.due if d[0] <= until]:
            self.clock.at = max(at, self.clock.at)
            if text:
                self._send(person, text)
            else:
                self._charge(person)
        self.due = [d for d in self.due if d[0] > until]
        self.clock.at = until

    async def event(self, name: str, value: Any) -> None:
        if name == "biller_ack":
            self.posted += self.captures
            self._send("mei", "水费已销账。", claims="posted")
        elif name == "outbound_call":
            await self.call_in(value, "")
        else:
            raise Unsupported(f"event.{name}")

    async def ways(self, person: str) -> tuple[str, ...]:
        return ("telegram", "voice", "web") if person == "mei" else ("telegram",)

    async def here(self, person: str) -> str:
        return self.places.get(person, "telegram")

    async def go(self, person: str, channel: str) -> None:
        if self.flaw == "forgets_elsewhere" and channel != await self.here(person):
            self.lives.pop(person, None)
        self.places[person] = channel

    async def redeliver(self, person: str) -> None:
        kind, text = self.lives.get(person, Life()).last
        if kind:
            await self._hear(person, kind, text, again=True)

    async def double_tap(self, person: str) -> bool:
        kind, text = self.lives.get(person, Life()).last
        if kind != "key" or len(text) > 2:
            return False
        await self._hear(person, kind, text)
        return True

    async def restart(self) -> None:
        self.restarts += 1
        if self.flaw == "charge_twice_when_restarted" and self.captures:
            self._charge("mei")

    async def second_factor(self, person: str, kind: Literal["code", "pin"]) -> str:
        return CODE if kind == "code" else PIN

    async def placeholder(self, person: str, name: str) -> str:
        raise Unsupported(f"placeholder.{name}")

    async def sent(self) -> Sequence[Sent]:
        return tuple(self.out)

    async def facts(self) -> WorldFacts:
        return WorldFacts(
            now=self.clock.now(),
            captures=tuple(self.captures),
            posted=tuple(self.posted),
            refunds=(),
            holds=(),
            confirmations=tuple(self.confirmations),
            gateway_calls=tuple(self.calls),
            state="paid" if self.captures else None,
            tickets=tuple(self.tickets),
            audit=tuple(self.audit),
            talks={
                p: Talk(dict(v.slots), v.mode, v.asks if v.asks != "?" else None, tuple(v.events))
                for p, v in self.lives.items()
            },
            ledger_ok=True,
            logs=self.logs,
            secrets=(Secret("account", NUMBER, frozenset({"mei"})), Secret("code", CODE)),
            reads=(DataRead("bo", "W-MEI", allowed=False),) if self.flaw == "shows_others" else (),
            not_there=tuple(self.wanted),
            prefs={"mei": {"large": True}},
            more={"alerts": 1, "p95_text_ms": 120, "answered": "99.95%"},
        )

    async def close(self) -> None:
        self.closed = True

    # --- the bot ---

    async def _hear(self, person: str, kind: str, text: str, again: bool = False) -> None:
        life = self.lives.setdefault(person, Life())
        if again and self.flaw != "double_charge":
            return  # seen before
        if not again:
            life.last = (kind, text)
        self.turn += 1
        if self.flaw == "hangs":
            raise RuntimeError("the desk is on fire")
        if self.flaw == "leaks":
            self.logs += f"heard {text}\n"
        if self.flaw == "nags":
            self._send(person, "请再说一遍。", asks="open")
        elif text == "自动缴费":
            self.wanted.append("flow.set_mandate")
        else:
            self._answer(person, life, text)

    def _answer(self, person: str, life: Life, text: str) -> None:
        if text == "人工" and self.flaw != "no_person":
            life.mode = "waiting"
            self.tickets.append({"kind": "human", "person": person, "reason": "asked"})
            self._send(person, "马上请工作人员来。", asks="open")
        elif text == "停" and self.flaw != "deaf_to_stop":
            life.asks = "open"
            life.events.append(TalkEvent("flow_cancelled", "pay_bill"))
            self._send(person, "都停了，没有扣钱。", asks="open")
        elif text == "停":
            self._send(person, "好的。", asks="open")
            self._charge(person)
        elif text == "谢谢":
            self._send(person, "再见。", ends=True)
        elif text in ("交水费", "pay the water bill"):
            self._ask_yes(person, life)
        elif life.asks == "confirm" and text.split()[0] in YES:
            self._ask_code(person, life, text)
        elif life.asks == "code" or self._charged_again(text):
            self._try_code(person, life, text)
        elif text == "晚点告诉我":
            self.due.append((self.clock.now() + timedelta(hours=13), person, "水费还没交。"))
            self._send(person, "好的。", asks="open")
        else:
            self._send(person, f"没听懂({self.turn})。您想交水费吗?", asks="open")

    def _charged_again(self, text: str) -> bool:
        return self.flaw == "double_charge" and text == CODE

    def _ask_yes(self, person: str, life: Life) -> None:
        life.asks = "confirm"
        life.slots["utility"] = "water"
        life.events += [
            TalkEvent("flow_started", "pay_bill"),
            TalkEvent("action_executed", "action_quote"),
            TalkEvent("slot_was_set", "utility", "water"),
            TalkEvent("bot_uttered", "utter_confirm_pay"),
        ]
        self._send(
            person,
            "水费，尾号6677，46.50元，交吗？" + ("已扣款。" if self.flaw == "lies" else ""),
            asks="confirm",
            response="utter_confirm_pay",
            buttons=(SentButton("确认", "/affirm"), SentButton("不交", "/deny")),
            spoken="水费，尾号六六七七，四十六元五角，交吗？",
        )

    def _ask_code(self, person: str, life: Life, text: str) -> None:
        if PIN in text:
            self._pay(person, life)
            return
        life.asks = "code"
        self._send(person, f"请输入验证码({self.turn})。", asks="code", response="utter_ask_code")

    def _try_code(self, person: str, life: Life, text: str) -> None:
        if text not in (CODE, PIN):
            self._send(person, f"不对({self.turn})。", asks="code")
            self.audit.append("second_factor_failed")
            return
        self._pay(person, life)

    def _pay(self, person: str, life: Life) -> None:
        life.asks = "open"
        if self.flaw != "forgets_yes":
            self.confirmations.append(Movement("W-MEI", 4650, person, self.clock.now()))
        self.audit += ["confirmed", "captured"]
        life.events.append(TalkEvent("flow_completed", "pay_bill", step="pay"))
        if self.flaw == "stops_late":
            self.due.append((self.clock.now() + timedelta(minutes=1), person, ""))
            return
        self._charge(person)
        self._send(person, "已扣款46.50元。", claims="captured", response="utter_paid")
        self._send("bo", "朱莉交了水费46.50元。")

    def _charge(self, person: str) -> None:
        number = f"order-{len(self.calls)}"
        self.calls.append(GatewayCall("pay", number))
        self.captures.append(Movement("W-MEI", 4650, person, self.clock.now(), number))

    def _last(self, person: str) -> Sent:
        return [s for s in self.out if s.person == person][-1]

    def _send(self, person: str, text: str, **more: Any) -> None:
        channel = more.pop("channel", self.stage.channels.get(person, "console"))
        self.out.append(
            Sent(person, text, self.clock.now(), channel, cause=f"t{self.turn}-{len(self.out)}", **more)
        )
