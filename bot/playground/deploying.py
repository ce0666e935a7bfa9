"""A deploy in the middle of a talk: the program ends, and another one with other flows goes on with the same store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.app import Words, read_words
from data.store.engine import Tx
from data.store.talks import flow_releases
from dialogues.actions.ports import Action
from dialogues.testing import deploys
from nlu.understand import OFFERED

if TYPE_CHECKING:
    from bot.playground.world import Playground


@dataclass(frozen=True, slots=True)
class Program:
    """What a deploy replaces: flows with their sentences, and the Python behind them."""

    words: Words
    actions: Mapping[str, Action]


async def deploy(world: Playground, wanted: deploys.Deploy) -> None:
    """Ends the program that runs, and starts the one the step describes. Raises NoDeploy."""
    today = Program(world.words or read_words(world.settings), world.actions)
    if wanted.back:
        if not world.earlier:
            raise deploys.NoDeploy("there is no program before this one")
        coming = world.earlier.pop()
    else:
        world.earlier.append(today)
        coming = _coming(today, wanted)
    world.words, world.actions = coming.words, coming.actions
    if wanted.forgotten:
        await world.app.store.run(_forget)
    await world.restart()


def _coming(today: Program, wanted: deploys.Deploy) -> Program:
    release, actions = deploys.newer(today.words.release, today.actions, wanted)
    begun = {flow.id for flow in release.flows.values() if flow.intents}
    understanding = today.words.understanding.offering(OFFERED | begun)
    return Program(replace(today.words, release=release, understanding=understanding), actions)


def _forget(tx: Tx) -> None:
    tx.conn.execute(sa.delete(flow_releases))


__all__ = ["Program", "deploy"]
