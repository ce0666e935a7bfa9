"""A town with a few learnt sentences, so that the pages can be tried without the house behind them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.channels.web import WebChannel
from bot.web.ports import (
    BOT,
    ME,
    Colleague,
    Entry,
    KnownBill,
    Liking,
    Mirror,
    Resident,
    Sms,
    Waiting,
)
from data.ids import AccountId, PersonId, TicketId
from dialogues.model import Button

NINE = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
CHENM = PersonId("chenm")
CHENGFS = PersonId("chengfs")
CODE = "482913"
STAFF_PASSWORD = "lantern-over-water"
NUMBER = "0319001200345678"
PAY_PAGE = "http://127.0.0.1:9/pay/hp_2k8v"

PEOPLE = [
    ("limin", "李敏", "女儿,在外地,替父母交费", "daughter in another city, pays for her parents"),
    ("chenm", "陈明", "儿子,替广州的妈妈交费", "son, pays for his mother in Guangzhou"),
    ("zhanggf", "张桂芳", "六十一岁,儿子是陈明", "sixty-one, mother of 陈明"),
    ("chengfs", "程福生", "八十岁,眼睛不好,用大字", "eighty, poor sight, large letters"),
    ("lijg", "李建国", "八十三岁,只有老人机", "eighty-three, a plain telephone"),
]

# (what the bot waits for, what the person says) -> what the bot says, waits for, and offers
Script = tuple[tuple[str, str, str, str, tuple[str, ...]], ...]
SCRIPT: Script = (
    ("", r"人工", "好的,已经请帮办员来。您先别挂心。", "", ()),
    ("", r"停|不弄了", "好,都停下了。没有扣钱。", "", ()),
    ("", r"扫码", "请打开付款页,或者扫这张码。\n要付 46.50元。", "", ("LINK",)),
    ("", r"大一点", "好,字放大了。", "", ()),
    ("", r"交电费", "请告诉我户号。广州的户号是16位,印在电费单左上角。", "account", ("我不知道户号",)),
    ("account", r"[0-9 ]{16,}", "户主是张*芳,是您妈妈吗?", "name_check", ("是", "不是")),
    (
        "name_check",
        r"对|是",
        "张*芳家的电费:\n123.45元,3月25日前交。\n用您的钱包付,可以吗?",
        "confirm",
        ("付", "先不付"),
    ),
    ("confirm", r"付|好", "验证码发到您另一部手机了。请把六位数字告诉我。", "code", ()),
    ("code", CODE, "已扣 123.45元。电力公司销账后我再告诉您。", "", ()),
    ("code", r"\d+", "验证码不对,还可以试两次。", "code", ()),
)


@dataclass
class ScriptedTalks:
    """Plays SCRIPT; remembers every event id as the real door does."""

    channel: WebChannel = field(default_factory=WebChannel)
    logs: dict[PersonId, list[Entry]] = field(default_factory=dict)
    waits: dict[PersonId, str] = field(default_factory=dict)
    sms: dict[PersonId, list[Sms]] = field(default_factory=dict)
    likings: dict[PersonId, Liking] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    slow: bool = False  # while set, whatever says 慢 waits, as for a biller that does not answer

    async def residents(self, locale: str) -> list[Resident]:
        return [
            Resident(PersonId(id_), name, zh if locale == "zh" else en, locale)
            for id_, name, zh, en in PEOPLE
        ]

    async def say(self, person: PersonId, text: str, event_id: str) -> None:
        if not self._first(event_id):
            return
        while self.slow and "慢" in text:
            await asyncio.sleep(0.02)
        self._hear(person, text)

    async def press(self, person: PersonId, token: str, event_id: str) -> None:
        if not self._first(event_id):
            return
        titles = {b.token: b.title for entry in self.logs.get(person, ()) for b in entry.buttons}
        if token in titles:
            self._hear(person, titles[token])
        else:
            self.add(person, BOT, "这个按钮已经用不上了,请看最新的问题。")

    async def keys(self, person: PersonId, digits: str, event_id: str) -> None:
        if self._first(event_id):
            self._hear(person, digits)

    async def history(self, person: PersonId, since_seq: int = 0) -> list[Entry]:
        if self.trouble:
            raise self.trouble
        return [entry for entry in self.logs.get(person, ()) if entry.seq > since_seq]

    async def phone(self, person: PersonId) -> list[Sms]:
        return self.sms.get(person, [])

    async def liking(self, person: PersonId) -> Liking:
        return self.likings.get(person, Liking())

    async def prefer(self, person: PersonId, *, locale: str | None = None, large: bool | None = None) -> None:
        now = self.likings.get(person, Liking())
        self.likings[person] = replace(
            now, locale=locale or now.locale, large=now.large if large is None else large
        )

    def changes(self, person: PersonId) -> AsyncIterator[None]:
        return self.channel.changes(person)

    def add(
        self, person: PersonId, speaker: str, text: str, *titles: str, asks: str = "", link: str | None = None
    ) -> None:
        """Writes one entry and rings."""
        log = self.logs.setdefault(person, [])
        seq = len(log) + 1
        buttons = tuple(Button(title, f"{person}-{seq}-{index}") for index, title in enumerate(titles))
        at = NINE + timedelta(minutes=seq)
        log.append(Entry(seq, speaker, text, at, buttons, asks or None, link, self._large(person)))
        self.channel.wake(person)

    def _large(self, person: PersonId) -> bool:
        return self.likings.get(person, Liking()).large

    def _first(self, event_id: str) -> bool:
        if event_id in self.served:
            return False
        self.served.append(event_id)
        return True

    def _hear(self, person: PersonId, text: str) -> None:
        self.heard.append(text)
        waiting = self.waits.get(person, "")
        self.add(person, ME, "••••••" if waiting == "code" and text.isdecimal() else text)
        for when, pattern, answer, asks, titles in SCRIPT:
            if when in {"", waiting} and re.search(pattern, text):
                self._answer(person, answer, asks, titles)
                return
        self.add(person, BOT, "我没听明白。您可以说:交电费。", "交电费", "找人帮忙")

    def _answer(self, person: PersonId, answer: str, asks: str, titles: tuple[str, ...]) -> None:
        self.waits[person] = asks
        if asks == "code" and "不对" not in answer:
            self.sms.setdefault(person, []).append(Sms(NINE, f"验证码 {CODE},付电费 123.45元,10分钟内有效。"))
        if "字放大" in answer:
            self.likings[person] = replace(self.likings.get(person, Liking()), large=True)
        link = PAY_PAGE if "LINK" in titles else None
        self.add(person, BOT, answer, *(t for t in titles if t != "LINK"), asks=asks, link=link)


@dataclass
class ScriptedStaff:
    """A desk with one colleague, and one person who waits."""

    talks: ScriptedTalks
    waiting: dict[PersonId, Waiting] = field(default_factory=dict)
    tokens: dict[str, Colleague] = field(default_factory=dict)
    handed_back: list[tuple[PersonId, AccountId | None]] = field(default_factory=list)

    def somebody_waits(self, person: PersonId = CHENGFS) -> None:
        self.talks.add(person, ME, "人工")
        self.talks.add(person, BOT, "好的,已经请帮办员来。")
        self.waiting[person] = Waiting(
            TicketId(f"tk_{person}"), person, "程*生", NINE, "asked", "想交水费,说了两次没说清。", True
        )

    async def sign_in(self, name: str, password: str) -> str | None:
        if (name, password) != ("周慧", STAFF_PASSWORD):
            return None
        token = f"st_{len(self.tokens)}"
        self.tokens[token] = Colleague(PersonId("xiaozhou"), name)
        return token

    async def who(self, token: str) -> Colleague | None:
        return self.tokens.get(token)

    async def sign_out(self, token: str) -> None:
        self.tokens.pop(token, None)

    async def queue(self, colleague: Colleague) -> list[Waiting]:
        return sorted(self.waiting.values(), key=lambda waiting: waiting.since)

    async def mirror(self, colleague: Colleague, person: PersonId) -> Mirror | None:
        if person not in self.waiting:
            return None
        bills = (
            KnownBill(AccountId("acc_w"), "水费 程*生 尾号6701"),
            KnownBill(AccountId("acc_e"), "电费 程*生 尾号6712"),
        )
        return Mirror(self.waiting[person], tuple(self.talks.logs.get(person, ())), bills)

    async def take(self, colleague: Colleague, person: PersonId, event_id: str) -> bool:
        waiting = self.waiting.get(person)
        if waiting is None or waiting.mode == "human":
            return False
        self.waiting[person] = replace(waiting, mode="human", staff=colleague.name)
        self.talks.channel.wake(person)
        return True

    async def say(self, colleague: Colleague, person: PersonId, text: str, event_id: str) -> bool:
        waiting = self.waiting.get(person)
        if waiting is None or waiting.staff != colleague.name:
            return False
        if event_id not in self.talks.served:
            self.talks.served.append(event_id)
            self.talks.add(person, colleague.name, text)
        return True

    async def hand_back(
        self,
        colleague: Colleague,
        person: PersonId,
        account: AccountId | None,
        event_id: str,
        reset_pin: bool = False,
    ) -> bool:
        waiting = self.waiting.get(person)
        if waiting is None or waiting.staff != colleague.name:
            return False
        self.handed_back.append((person, account))
        del self.waiting[person]
        self.talks.add(person, BOT, "我回来了。帮办员提出交水费 31.20元,您看要不要付?", "付", "不付")
        return True

    def changes(self) -> AsyncIterator[None]:
        return self.talks.channel.all_changes()
