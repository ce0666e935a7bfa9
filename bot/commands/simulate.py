"""`bangjiao simulate`: the till played through thousands of stories in which everything goes wrong, and one of them told."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from payments.simulation.running import Found, Story

Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]


def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="how many stories")] = 2_000,
    first: Annotated[int, typer.Option(min=0, help="the first seed")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="only this one")] = None,
    story: Annotated[bool, typer.Option("--story", help="tell it, as short as it still fails")] = False,
    months: Annotated[bool, typer.Option("--months", help="two months of a household each")] = False,
    processes: Annotated[int, typer.Option(min=0, help="at once; 0: as many as there are cores")] = 0,
    as_json: Json = False,
) -> None:
    """Plays them with a clock, a town and a store of their own; exit status 1 when money went astray in one."""
    from payments.simulation.running import simulated

    if seed is not None and story:
        _told(seed, months, as_json)
        return
    wanted = range(first, first + seeds) if seed is None else range(seed, seed + 1)
    began = time.monotonic()
    at_once = min(processes or os.cpu_count() or 1, len(wanted))
    found = simulated(wanted, at_once, months=months, heard=None if as_json else _progress)
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(json.dumps({**asdict(found), "seconds": round(seconds, 1)}, ensure_ascii=False))
    else:
        _say(found, seconds, months)
    raise typer.Exit(1 if found.failures else 0)


def _progress(found: Found) -> None:
    if found.seeds % 5_000 == 0:
        typer.echo(f"{found.seeds} stories, {len(found.failures)} failed", err=True)


def _say(found: Found, seconds: float, months: bool) -> None:
    each = found.cpu_seconds / found.seeds * 1e3
    kind = "two-month stories" if months else "stories"
    typer.echo(f"{found.seeds} {kind} in {seconds:.0f} s, {each:.1f} ms of a processor each.")
    if not found.failures:
        typer.echo("Not a fen went astray.")
        return
    for failure in found.failures[:10]:
        typer.echo(f"FAILED  seed {failure.seed}: {failure.breaches[0]}")
    worst = found.failures[0].seed
    how = " --months" if months else ""
    typer.echo(
        f"{len(found.failures)} failed. The first one is told by: bangjiao simulate --seed {worst} --story{how}"
    )


def _told(seed: int, months: bool, as_json: bool) -> None:
    from payments.simulation.running import months_story, story

    told: Story = months_story(seed) if months else story(seed)
    if as_json:
        typer.echo(json.dumps(asdict(told), ensure_ascii=False))
    else:
        typer.echo("\n".join([told.scene, *told.sentences, ""]))
        typer.echo("\n".join(f"BROKEN  {b}" for b in told.breaches) or "All is well.")
    raise typer.Exit(1 if told.breaches else 0)


def register(app: typer.Typer) -> None:
    """Hangs the command into `bangjiao`."""
    app.command(
        help="Play the till through thousands of faults and deaths. Example: bangjiao simulate --seeds 2000"
    )(simulate)
