"""The benchmarks in one command: `python -m benchmarks` prints a table, `--json` a line for programs.

Every figure stands beside a peer or a lower bound of the same run, because absolute times mean little on a shared
machine. `--quick` measures next to nothing and only shows that all of it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from benchmarks import engines, paying, simulating, spreading, starting, sweeping, turns, understanding
from benchmarks.figures import Row, machine
from benchmarks.showing import show
from bot import logs
from tests.databases import Databases

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    turns: int = 400
    crowd_turns: int = 500
    blocks: int = 3
    open_talks: tuple[int, int] = (100, 10_000)
    starts: int = 3
    households: int = 40
    rounds: int = 3
    stories: int = 1_000
    crews: tuple[int, ...] = (1, 2, 4)
    shared: int = 40  # payments of a round that several workers share
    mandates: tuple[int, ...] = (10_000, 100_000)
    folds: int = 5
    locales: tuple[str, ...] = ("zh", "en")
    pipelines: tuple[str, ...] = ("light", "diet")


FULL = Size()
QUICK = Size(
    turns=10,
    crowd_turns=50,
    blocks=1,
    open_talks=(50, 60),
    starts=1,
    households=2,
    rounds=1,
    stories=20,
    crews=(1, 2),
    shared=4,
    mandates=(200,),
    folds=0,
    locales=("en",),
    pipelines=("light",),
)
# Trains four models of Rasa for half an hour, so it is measured only when it is asked for.
ON_DEMAND = ("engines",)
PARTS = ("turns", "crowd", "start", "payments", "spreading", "stories", "sweep", "words")


def measure(size: Size, parts: tuple[str, ...], tell: Tell) -> tuple[list[Row], dict[str, Any]]:
    """All rows of the parts asked for, and the state of the machine."""
    rows: list[Row] = []
    facts = machine()
    with Databases(durable=True) as databases:
        if "turns" in parts:
            rows.append(turns.at_the_store(databases, size.turns, tell))
            rows.append(turns.door_to_reply(databases, size.turns, tell))
            rows.append(turns.with_more_flows(databases, size.turns, tell))
            rows.append(turns.stacked(databases, size.turns, tell))
        if "crowd" in parts:
            rows += turns.at_once(databases, size.open_talks, size.crowd_turns, size.blocks, tell)
        if "start" in parts:
            rows += starting.first_answer(size.starts, tell)
            rows.append(starting.importing(size.starts, tell))
        if "payments" in parts:
            rows += paying.durable(databases, size.households, size.rounds, tell)
        if "spreading" in parts:
            rows += spreading.shared(databases, size.crews, size.shared, size.rounds, tell)
        if "stories" in parts:
            rows += simulating.stories(size.stories, size.rounds, tell)
        if "words" in parts:
            rows += understanding.words(size.folds, tell)
        if "engines" in parts:
            rows += engines.compared(size.locales, size.pipelines, tell)
        if "sweep" in parts:
            rows += sweeping.rounds(databases, sweeping.KINDS, size.mandates, size.rounds, tell)
        if {"crowd", "payments", "spreading", "sweep"} & set(parts):
            facts["postgresql"] = _version(databases)
    return rows, facts | {"load_after": [round(x, 2) for x in os.getloadavg()]}


def _version(databases: Databases) -> str:
    with databases.store("postgresql") as store:
        return str(store.run_now(lambda tx: tx.conn.exec_driver_sql("SHOW server_version").scalar()))


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints; progress goes to standard error."""
    asked = _options(arguments)
    logs.set_up("ERROR")
    progress = Console(stderr=True)
    began = time.perf_counter()

    def tell(what: str) -> None:
        progress.print(f"[dim]{time.perf_counter() - began:6.1f} s[/dim]  {what} ...", highlight=False)

    size = QUICK if asked.quick else FULL
    if asked.mandates:
        size = replace(size, mandates=tuple(asked.mandates))
    rows, facts = measure(size, tuple(asked.part or PARTS), tell)
    facts["seconds"] = round(time.perf_counter() - began, 1)
    if asked.json:
        print(json.dumps({"machine": facts, "rows": [row.as_json() for row in rows]}, ensure_ascii=False))
    else:
        show(rows, facts, Console(width=None if Console().is_terminal else 180))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times what the house does, each beside a peer in the same run.",
        epilog="example: python -m benchmarks --part turns --json",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument(
        "--part", action="append", choices=PARTS + ON_DEMAND, help="only this part; may be repeated"
    )
    parser.add_argument(
        "--mandates", action="append", type=int, help="size of a sweep instead of the usual; may be repeated"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
