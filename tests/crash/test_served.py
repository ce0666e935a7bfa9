"""The whole program, `bangjiao serve`, killed at random moments of a payment over HTTP: its page shows the truth afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TypeVar

import httpx
import pytest

from data.money import Money
from integrations.sandbox.control import SandboxControl
from integrations.sandbox.control_wire import Capture, Inspection
from tests.crash.served import Server, Visitor, served
from tests.databases import KINDS, Databases
from tests.servers import SandboxHandle, start_sandbox

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

T = TypeVar("T")

SEED = 20260310
FIRST_BILL = Money(4_650)
ACCOUNT = "W-LI"
LONGEST_SECONDS = 150
# Half of the deaths while the PIN is being carried out: there the money moves.
STEPS = ("pin", "wish", "pin", "yes")


class Town:
    """The back door of the town that the server talks to."""

    def __init__(self, handle: SandboxHandle) -> None:
        self._handle = handle

    def do(self, what: Callable[[SandboxControl], Awaitable[T]]) -> T:
        async def done() -> T:
            control = SandboxControl(self._handle.url, self._handle.control_token)
            try:
                return await what(control)
            finally:
                await control.aclose()

        return asyncio.run(done())

    def sends_bill(self, amount: Money) -> None:
        self.do(lambda control: control.change_account(ACCOUNT, due_fen=amount.fen))

    def testimony(self) -> Inspection:
        return self.do(lambda control: control.inspect())

    def captures(self, amount: Money) -> list[Capture]:
        return [c for c in self.testimony().captures if c.amount_fen == amount.fen]


def test_the_program_is_killed_at_random_moments(databases: Databases, tmp_path: Path) -> None:
    """On both databases at once: most of the time nobody works, a dead process's lease is waited for."""
    with ExitStack() as stack:
        urls = {kind: stack.enter_context(databases.url(kind)) for kind in KINDS}
        rooms = stack.enter_context(ThreadPoolExecutor(len(KINDS)))
        for ended in [rooms.submit(kill_at_random, url, tmp_path, SEED, 3) for url in urls.values()]:
            ended.result()


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_the_program_is_killed_again_and_again(
    databases: Databases, kind: str, tmp_path: Path, seed: int
) -> None:
    with databases.url(kind) as url:
        kill_at_random(url, tmp_path, seed, 7)


def kill_at_random(url: str, folder: Path, seed: int, rounds: int) -> None:
    """One bill after another at one server, each with a crash in the middle; the first without, to see how long it takes."""
    kind = url.partition(":")[0]
    dice = random.Random(f"{seed} {kind}")
    folder /= kind
    folder.mkdir()
    with (
        start_sandbox(folder, clock="system") as handle,
        served(url, handle, folder) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20, follow_redirects=True) as web,
    ):
        town = Town(handle)
        town.do(lambda control: control.callbacks_to(f"{server.url}/callbacks/rail"))
        town.do(lambda control: control.set_funds("pm-limin", Money(1_000_000)))
        visitor = Visitor(web, "limin", "4071", "交水费")
        visitor.comes_in()
        pay_undisturbed(town, visitor)
        lasts = dict(visitor.took)
        for n in range(1, rounds + 1):
            step = STEPS[n % len(STEPS)]
            die_after = dice.uniform(0, 1.1) * lasts[step]
            where = f"seed {seed}, {kind}, round {n}: killed {die_after:.3f} s after {step} was sent"
            pay_with_a_crash(town, server, visitor, FIRST_BILL + Money(n), step, die_after, where)


def pay_undisturbed(town: Town, visitor: Visitor) -> None:
    town.sends_bill(FIRST_BILL)
    visitor.pays(f"{FIRST_BILL.yuan}元", LONGEST_SECONDS)
    judge(town, visitor, FIRST_BILL, "undisturbed")


def pay_with_a_crash(
    town: Town, server: Server, visitor: Visitor, bill: Money, step: str, die_after: float, where: str
) -> None:
    town.sends_bill(bill)
    visitor.about_to = {step: (sent := Event())}
    with ThreadPoolExecutor(1) as talking:
        talk = talking.submit(visitor.pays, f"{bill.yuan}元", LONGEST_SECONDS)
        assert sent.wait(LONGEST_SECONDS), where
        time.sleep(die_after)
        server.kill()
        charged = bool(town.captures(bill))
        server.start()
        try:
            talk.result()
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
    # Once the money was taken nobody may have to ask for it again.
    assert not (charged and visitor.wishes > 1), where
    judge(town, visitor, bill, where)


def judge(town: Town, visitor: Visitor, bill: Money, where: str) -> None:
    """Collected once, written off once, and the page says both, once each."""
    seen = town.testimony()
    assert len([c for c in seen.captures if c.amount_fen == bill.fen]) == 1, where
    posts = [p for p in seen.posts if p.amount_fen == bill.fen]
    assert [(p.account, p.state) for p in posts] == [(ACCOUNT, "settled")], where
    about = [text for text in visitor.reads() if f"{bill.yuan}元" in text]
    assert sum("已扣款" in text for text in about) == 1, f"{where}: {about}"
    assert sum("已销账" in text for text in about) == 1, f"{where}: {about}"
