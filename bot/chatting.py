"""A talk in the terminal: the same desk, the same town, typed instead of clicked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from bot import demo
from bot.app import Application, build, enrol_town
from bot.channels.console import ConsoleChannel, PhoneChannel
from bot.settings import Settings
from data.events import InboundEvent, InboundKind
from data.ids import PersonId, fresh
from data.model import Role
from data.town import load_world
from dialogues import staffing

_LEAVE = frozenset({"/quit", "/exit", "/q"})


async def chat(person: str, folder: Path, settings: Settings, out: Console, language: str = "") -> int:
    """Talks until /quit or the end of input; gives the exit status."""
    world = load_world()
    who = PersonId(person)
    if who not in world.people:
        out.print(f"Nobody here is called {person!r}. There are: {', '.join(world.people)}.", style="red")
        return 2
    with demo.sandbox(demo.fresh_folder(folder)) as town:
        screen, phone = ConsoleChannel(who, out), PhoneChannel(who, out)
        application = build(
            demo.demo_settings(folder, town, settings),
            clock=demo.TownClock(world.start),
            channels={"console": screen, "sms": phone},
        )
        enrol_town(application.store, world, application.clock.now())
        ticking = asyncio.create_task(demo.keep_time(application, world, town))
        application.start_beating()
        application.start_watching()
        try:
            await _talk(application, who, screen, out, language)
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await application.close()
    return 0


async def _talk(
    application: Application, who: PersonId, screen: ConsoleChannel, out: Console, language: str
) -> None:
    out.print(
        f"您是{load_world().people[who].name}。数字选按钮,/quit 离开。 (a number takes a button, /quit leaves)",
        style="dim",
    )
    if language in ("zh", "en"):
        await _serve(application, who, InboundKind.PREFER, "", {"locale": language})
    await _serve(application, who, InboundKind.CALL, "")
    while True:
        try:
            words = (await asyncio.to_thread(out.input, "\n> ")).strip()
        except (EOFError, KeyboardInterrupt):
            return
        if words in _LEAVE:
            return
        if words:
            await _turn(application, who, words, screen)


async def _turn(application: Application, who: PersonId, words: str, screen: ConsoleChannel) -> None:
    choice = int(words) - 1 if words.isdigit() and len(words) == 1 else -1
    if 0 <= choice < len(screen.choices):
        await _serve(application, who, InboundKind.BUTTON, "", {"token": screen.choices[choice].token})
    elif await _serves_somebody(application, who):
        await _as_staff(application, who, words)
    else:
        await _serve(application, who, InboundKind.TEXT, words)


async def _serve(
    application: Application,
    who: PersonId,
    kind: InboundKind,
    text: str,
    payload: dict[str, str] | None = None,
) -> None:
    event = InboundEvent(
        "console", fresh("line"), who, kind, application.clock.now(), text=text, payload=dict(payload or {})
    )
    await application.desk.serve(event)
    await application.carrier.deliver(who)


async def _serves_somebody(application: Application, who: PersonId) -> bool:
    if load_world().people[who].person.role is Role.FAMILY:
        return False
    return bool(await application.store.run(lambda tx: staffing.serving(tx, who)))


async def _as_staff(application: Application, who: PersonId, words: str) -> None:
    for person in await application.store.run(lambda tx: staffing.serving(tx, who)):
        event = InboundEvent(
            "console", fresh("line"), person, InboundKind.STAFF, application.clock.now(), text=words,
            payload={"act": "say", "staff": who},
        )  # fmt: skip
        await application.desk.serve(event)
