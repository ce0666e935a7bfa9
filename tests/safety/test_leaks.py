"""After a long and naughty day: neither the whole log nor any byte of the database holds what must stay secret."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from bot import logs
from bot.serving import pages
from data.store import letters
from data.store.audit import audit
from data.store.engine import Tx
from dialogues import wire
from tests.databases import KINDS
from tests.safety.real_town import RealTown, Towns
from tests.web.conftest import client_of
from tests.web.forms import be, send

CARD, IDENTITY, BANK_CODE = "6222021234567890128", "11010519491231002X", "482913"
NEW_PIN = "593017"
TYPED = "0319001200354678"  # of a neighbour nobody here may see


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything every logger writes, at DEBUG, in the form in which the program writes it."""
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    levels = {
        name: logging.getLogger(name).level for name in (*logging.root.manager.loggerDict, "sqlalchemy")
    }
    root.handlers = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", out)
        logs.set_up("DEBUG")
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield out
    structlog.configure(**config)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(params=KINDS)
async def day(request: pytest.FixtureRequest, log: io.StringIO, make_town: Towns) -> AsyncIterator[RealTown]:
    """Everything people, the rail and attackers may do in a day, with the town watched by its log."""
    town = make_town(request.param)
    await town.open("limin", "chenm", "chengfs", "xiaozhou")
    await _in_chats(town)
    await _on_pages(town)
    await _at_the_callback_address(town)
    await _in_trouble(town)
    yield town
    await town.close()


async def _in_chats(town: RealTown) -> None:
    await town.says("limin", "交水费", f"确认 {town.pin('limin')}")
    await town.says("limin", "交燃气费", "付", "1593", await town.code("limin"))
    await town.says(
        "chenm", "交电费", TYPED, "不是", "0319001200345678", "是", "付", await town.code("chenm")
    )
    await town.says("chenm", "交电费", "1100223344", "我不知道户号", "广州", "找不到", "停")
    await town.says("chengfs", "交电费", "付", "1593", "7024", "8461", town.pin("chengfs"))
    await town.says(
        "chengfs", CARD, f"我的身份证{IDENTITY}", f"银行的验证码是{BANK_CODE}", town.pin("chengfs")
    )
    await town.says("limin", "我要设密码", await town.code("limin"), "1234", "1234")
    await town.says("limin", NEW_PIN, NEW_PIN, "人工")
    await town.says("xiaozhou", "帮程福生交水费", "3200456701")


async def _on_pages(town: RealTown) -> None:
    async with client_of(pages(town.app, demo=True, town=town.world)) as web:
        page = await be(web, "chenm")
        for words in (f"交水费 {TYPED}", CARD, town.pin("chenm"), "停"):
            page = (await send(web, page, "/talk/say", text=words)).text
        await send(web, page, "/talk/keypad", digits=TYPED, key="send")
        await web.get(f"/talk/{TYPED}?card={CARD}")
        await web.post("/talk/say", data={"text": CARD, "csrf": town.pin("chenm")})


async def _at_the_callback_address(town: RealTown) -> None:
    body = f'{{"order": "{TYPED}", "card": "{CARD}"}}'.encode()
    async with client_of(pages(town.app, demo=True, town=town.world)) as web:
        await web.post("/callbacks/rail", content=body, headers={"webhook-id": CARD})


async def _in_trouble(town: RealTown) -> None:
    """Faults of others and of ours: where numbers slip into a log most easily."""
    await town.control.fault("biller", "error_500", account="W-LI", uses=1)
    await town.says("limin", "查水费")
    await town.control.fault("rail", "timeout_never_paid", uses=2)
    await town.says("limin", "给我爸妈家电费充五十", "充", NEW_PIN)

    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"cannot work with {TYPED} and {CARD}")

    town.app.desk.quoting.quote = breaks  # type: ignore[method-assign]
    await town.says("limin", "查燃气费")


def _secrets(town: RealTown) -> dict[str, str]:
    """What must stand nowhere, by what it is."""
    found = {f"account {a.id}": a.number for a in town.world.accounts.values()}
    found |= {f"PIN of {p.id}": p.pin for p in town.world.people.values() if p.pin}
    found |= {"card": CARD, "identity": IDENTITY, "bank code": BANK_CODE, "new PIN": NEW_PIN}
    return found | {f"code {n}": code for n, code in enumerate(_codes(town))}


def _codes(town: RealTown) -> list[str]:
    """Every one-time code that was sent."""

    def read(tx: Tx) -> list[str]:
        sent = [x for p in town.world.people for x in letters.letters_to(tx, p) if x.channel == "sms"]
        return [match[0] for x in sent if (match := re.search(r"\d{6}", wire.load_said(x.body).text))]

    return town.app.store.run_now(read)


# The groups of a random id, and a sum that is called one, are four figures by themselves: often enough somebody's PIN by
# chance.
BY_CHANCE = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=[\"'])(?:fen|amount_fen|due|balance)[\"']: \d+"
)


def _found(text: str, secrets: dict[str, str]) -> list[str]:
    """Which secrets stand in a text by themselves, in one piece or in groups.

    What follows a mask is the tail of a longer number, an instant for example: it may equal a PIN by chance.
    """
    text = BY_CHANCE.sub("(no secret)", text)
    return [
        what
        for what, secret in secrets.items()
        if re.search(r"(?<![0-9A-Za-z*])" + "[ -]?".join(map(re.escape, secret)) + r"(?![0-9A-Za-z])", text)
    ]


async def test_nothing_secret_stands_in_the_log_or_in_the_database(day: RealTown, log: io.StringIO) -> None:
    secrets = _secrets(day)
    assert len([what for what in secrets if what.startswith("code")]) >= 5
    written = log.getvalue()
    assert {"httpx", "bangjiao.desk", "sqlalchemy.engine.Engine"} <= set(
        re.findall(r'"logger": "([^"]+)"', written)
    )
    assert "cannot work with" in written
    assert _found(written, secrets) == []
    assert _found(day.rows(), secrets) == []
    if day.url.startswith("sqlite"):
        assert _found(day.database_bytes().decode("latin-1"), secrets) == []
    assert await day.captures() == [("W-LI", 4_650), ("G-LI", 8_800), ("E-ZHANG", 12_345)]


async def test_the_search_would_have_found_it(town: RealTown, log: io.StringIO) -> None:
    """One careless line of ours is enough to be seen: in the log, in a row, in the file."""
    await town.open("limin")
    pin, number = town.pin("limin"), "2200556677"
    logging.getLogger("somebody").debug("he said %s", pin)
    assert _found(log.getvalue(), {"pin": pin}) == ["pin"]
    assert _found(f"of 0b5c1f9e-{pin}-4a6b-8c1d-0123456789ab, {{'fen': {pin}}}", {"pin": pin}) == []
    town.app.store.run_now(
        lambda tx: tx.conn.execute(audit.update().where(audit.c.seq == 1).values(body={"number": number}))
    )
    assert _found(town.rows(), {"account": number}) == ["account"]
    assert _found(town.database_bytes().decode("latin-1"), {"account": number}) == ["account"]


async def test_the_mask_is_the_last_door(log: io.StringIO) -> None:
    """Even a careless line with a whole number in it, of whatever logger, leaves by its tail only."""
    logging.getLogger("a.library").warning("GET /accounts/%s and %s", TYPED, CARD)
    structlog.get_logger("ours").info("looked up", where=f"row of {TYPED}", pin="4071", text="交电费")
    try:
        raise ValueError(f"no such account {TYPED}")
    except ValueError:
        logging.getLogger("a.library").exception("failed")
    written = log.getvalue()
    assert "4678" in written  # the tail
    assert _found(written, {"account": TYPED, "card": CARD, "pin": "4071"}) == []
    assert "交电费" not in written
