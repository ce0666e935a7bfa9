"""The demonstration town as values: who lives there, what they owe, who may act for whom, and what their purses hold.

`load_world()` reads the town that ships; `parse_world(block)` reads the `world:` block of an acceptance script, which has
the same keys and leaves some of them out.
"""

from __future__ import annotations

from data.town.elders import with_elders
from data.town.parse import BadWorld, load_world, parse_world
from data.town.world import (
    DryRun,
    Relation,
    TopUpRule,
    TownAccount,
    TownGrant,
    TownInstrument,
    TownPerson,
    World,
)

__all__ = [
    "BadWorld",
    "DryRun",
    "Relation",
    "TopUpRule",
    "TownAccount",
    "TownGrant",
    "TownInstrument",
    "TownPerson",
    "World",
    "load_world",
    "parse_world",
    "with_elders",
]
