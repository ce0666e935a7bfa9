"""What a test case in Rasa's format takes for granted: values its talk begins with, and actions that answer as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from data.events import InboundEvent, InboundKind
from data.ids import PersonId
from data.store.engine import Tx
from dialogues import conversations
from dialogues.actions import ACTIONS
from dialogues.actions.ports import Arguments, Inside, InsideAction, Result
from dialogues.slots import can_hold
from dialogues.testing.world import Unsupported

if TYPE_CHECKING:
    from bot.playground import Playground


async def begin_with(world: Playground, values: Mapping[str, Any]) -> None:
    """Fixtures: the slots of the persona's talk before the first word. Raises Unsupported for what no slot can hold."""
    release = world.app.desk.house.release
    for name, value in values.items():
        slot = release.slots.get(name)
        if slot is None or (value is not None and not can_hold(slot, value)):
            raise Unsupported(f"fixtures.{name}")
    person, at = PersonId(world.persona), world.clock.now()
    event = InboundEvent("given", "fixtures", person, InboundKind.PREFER, at)

    def put(tx: Tx) -> None:
        talk = conversations.load(tx, person, release.id, "zh")
        filled = replace(talk, slots={**talk.slots, **values}, revision=talk.revision + 1)
        conversations.save(tx, filled, talk.revision, event)

    await world.app.store.run(put)


async def answer_as_told(world: Playground, stubs: Mapping[str, Any]) -> None:
    """Stubs: these actions ask nobody and come out as told; what `CASE::action` says outweighs what `action` says."""
    for name, stub in sorted(stubs.items(), key=lambda one: "::" in one[0]):
        world.stubs[name.rpartition("::")[2]] = _stub(name.rpartition("::")[2], stub)
    world.watch()


def _stub(name: str, stub: Mapping[str, Any]) -> InsideAction:
    """Raises Unsupported for an action, an outcome or a slot that the house does not know."""
    if name not in ACTIONS:
        raise Unsupported(f"stub_custom_actions.{name}")
    spec = ACTIONS[name].spec
    outcome, slots = stub.get("outcome") or spec.outcomes[0], dict(stub.get("slots", {}))
    if outcome not in spec.outcomes or slots.keys() - set(spec.writes):
        raise Unsupported(f"stub_custom_actions.{name}.{outcome}")

    def run(room: Inside, arguments: Arguments) -> Result:
        return Result(outcome, slots)

    return InsideAction(spec, run)
