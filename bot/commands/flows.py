"""`bangjiao flows`: the pieces of business there are, and a picture of each, drawn from its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dialogues.model import Release


def register(root: typer.Typer) -> None:
    """Adds the command."""
    root.command(
        "flows",
        help="List the flows of the house or of a folder of Rasa files, or draw each. Example: bangjiao flows --svg pictures",
    )(flows)


def flows(
    folder: Annotated[Path | None, typer.Argument(help="flows and domain (default: the house's own)")] = None,
    svg: Annotated[Path | None, typer.Option(help="write one picture a flow into this folder")] = None,
    only: Annotated[list[str] | None, typer.Option(help="only these flows, by id")] = None,
    language: Annotated[str, typer.Option(help="language of the sentences in the boxes: zh or en")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable output")] = False,
) -> None:
    release = release_of(folder)
    if unknown := sorted(set(only or ()) - release.flows.keys()):
        raise SystemExit(f"there is no flow {', '.join(unknown)}")
    chosen = [flow for flow in release.flows.values() if not only or flow.id in only]
    if svg is not None:
        _draw(release, [flow.id for flow in chosen], svg, language)
    rows = [
        {
            "flow": flow.id,
            "name": flow.name.get(language, ""),
            "steps": len(flow.steps),
            "intents": list(flow.intents),
            "file": str(flow.where),
        }
        for flow in chosen
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['flow']}  {row['name']}  {row['steps']} steps  {row['file']}")


def _draw(release: Release, names: list[str], into: Path, language: str) -> None:
    from dialogues.drawing import svg

    into.mkdir(parents=True, exist_ok=True)
    for name in names:
        (into / f"{name}.svg").write_text(svg(release, release.flows[name], language), "utf-8")


def release_of(folder: Path | None) -> Release:
    """The house's flows, or those of a folder that loads without a mistake."""
    from bot.app import FLOWS
    from dialogues import loader
    from dialogues.actions import SPECS
    from dialogues.problems import FlowErrors
    from dialogues.testing import paper

    try:
        return (
            loader.load_folder(FLOWS, SPECS)
            if folder is None
            else paper.release_of(paper.dialogue_files(folder))
        )
    except FlowErrors as problem:
        raise SystemExit("\n".join(map(str, problem.errors))) from None
