"""`bangjiao explore`: every state of every talk walked, and each promise that does not hold with its shortest conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Adds the command."""
    root.command(
        "explore",
        help="Walk every state of all talks and prove that none is a dead end. Example: bangjiao explore --flow pay_bill",
    )(explore)


def explore(
    folder: Annotated[
        Path | None, typer.Argument(help="flows, domain and responses (default: the house's own)")
    ] = None,
    flow: Annotated[
        list[str] | None, typer.Option("--flow", help="only talks that begin with this one")
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=2, help="pieces of business on top of each other")] = 2,
    every: Annotated[
        bool, typer.Option("--every", help="every flow interrupts every other one; takes minutes")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable output")] = False,
) -> None:
    from bot.commands.flows import release_of
    from dialogues.explore import explore as walked

    release = release_of(folder)
    if unknown := sorted(set(flow or ()) - release.flows.keys()):
        raise SystemExit(f"there is no flow {', '.join(unknown)}")
    report = walked(release, flow or (), depth=depth, every=every)
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        for violation in report.violations:
            typer.echo(f"{violation}\n")
        typer.echo(report.line)
    raise typer.Exit(1 if report.violations else 0)
