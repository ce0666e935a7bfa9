"""Stores of towns whose people are enrolled already, so that a hundred talks in one town need not enrol it a hundred times."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from data.town import World, load_world


@cache
def shipped_world() -> World:
    """The town that comes with the program, read once."""
    return load_world()


def with_relatives(world: World) -> World:
    """A script's own town says nothing of who is whose daughter; where its people are ours, we know."""
    known = [r for r in shipped_world().relations if r.person in world.people and r.of in world.people]
    return replace(world, relations=world.relations or tuple(known))


@dataclass
class EnrolledTowns:
    """Databases kept in a folder, one for each different town."""

    folder: Path
    _kept: list[tuple[World, Path]] = field(default_factory=list)

    def of(self, world: World) -> Path | None:
        """The store of exactly this town, if there is one."""
        return next((path for known, path in self._kept if known == world), None)

    def keep(self, world: World, database: Path) -> None:
        """Remembers a store as it stands now; it may be open."""
        path = self.folder / f"enrolled{len(self._kept)}.db"
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
        self._kept.append((world, path))
