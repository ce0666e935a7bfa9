"""Letters on their way out: each reaches its channel once, also where one carrier is slow or was asleep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.carrier import Carrier
from bot.channels import Delivery
from data.clock import VirtualClock
from data.ids import PersonId
from data.store import letters
from data.store.engine import Sealer, Store, Tx
from dialogues import wire
from dialogues.model import Said

WHO = PersonId("limin")
LONG = timedelta(seconds=31)  # longer than a carrier holds a letter


class Road:
    """A channel that takes a while over its first letter."""

    name = "web"

    def __init__(self, clock: VirtualClock, lasts: timedelta) -> None:
        self._clock = clock
        self._lasts = lasts
        self.took: list[str] = []

    async def send(self, person: PersonId, said: Said) -> Delivery:
        self.took.append(said.text)
        self._clock.advance(self._lasts)
        self._lasts = timedelta(0)
        return Delivery.TAKEN


@pytest.mark.parametrize("lasts", [timedelta(0), LONG], ids=["quick", "slow"])
async def test_two_carriers_bring_each_letter_once(
    sealer: Sealer, clock: VirtualClock, lasts: timedelta
) -> None:
    store = Store.in_memory(sealer)

    def write(tx: Tx) -> None:
        for n in range(3):
            body = wire.dump_said(Said("utter_hello", f"{n}"))
            letters.put_letter(tx, person=WHO, channel="web", body=body, cause=f"{n}", at=clock.now())

    await store.run(write)
    road = Road(clock, lasts)
    first = await Carrier(store, {"web": road}, clock).deliver()
    second = await Carrier(store, {"web": road}, clock).deliver()
    assert road.took == ["0", "1", "2"]
    assert first + second == 3
    store.close()


async def test_a_carrier_that_slept_brings_nothing_another_has(sealer: Sealer, clock: VirtualClock) -> None:
    """The second one carries while the first still holds the letters it took before it fell asleep."""
    store = Store.in_memory(sealer)
    body = wire.dump_said(Said("utter_hello", "0"))
    later = wire.dump_said(Said("utter_hello", "1"))

    def write(tx: Tx) -> None:
        for n, text in enumerate((body, later)):
            letters.put_letter(tx, person=WHO, channel="web", body=text, cause=f"{n}", at=clock.now())

    await store.run(write)
    awake = Road(clock, timedelta(0))

    class Sleepy(Road):
        async def send(self, person: PersonId, said: Said) -> Delivery:
            taken = await super().send(person, said)
            await Carrier(store, {"web": awake}, clock).deliver()
            return taken

    sleepy = Sleepy(clock, LONG)
    await Carrier(store, {"web": sleepy}, clock).deliver()
    assert sleepy.took == ["0"]
    assert awake.took == ["0", "1"], "the one on its way when the sleep began comes twice, no other"
    store.close()


async def test_what_went_out_while_the_store_went_away_does_not_go_out_again(
    sealer: Sealer, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.in_memory(sealer)
    body = wire.dump_said(Said("utter_hello", "0"))
    await store.run(
        lambda tx: letters.put_letter(tx, person=WHO, channel="web", body=body, cause="0", at=clock.now())
    )
    road, run = Road(clock, timedelta(0)), store.run

    def reached(fn: Any) -> Any:
        if road.took:
            raise OperationalError("", {}, OSError("the store went away"))
        return run(fn)

    carrier, other = Carrier(store, {"web": road}, clock), Carrier(store, {"web": road}, clock)
    monkeypatch.setattr(store, "run", reached)
    with pytest.raises(OperationalError, match="went away"):
        await carrier.deliver()
    monkeypatch.setattr(store, "run", run)
    await carrier.deliver()
    clock.advance(LONG)
    assert (await carrier.deliver(), await other.deliver()) == (0, 0)
    assert road.took == ["0"]
    store.close()
