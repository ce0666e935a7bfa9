"""`bangjiao notices`: whom we could not tell something, and what waits for another try."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from bot.commands.operator import act_in_store

Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]


def register(root: typer.Typer) -> None:
    """Puts the command beside the others."""
    root.command(
        "notices",
        help="Letters that did not arrive or wait for another try; names are masked. Example: bangjiao notices --person lijg",
    )(notices)


def notices(
    person: Annotated[str, typer.Option("--person", help="only this person, by id")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="of what did not arrive, so many days")] = 30,
    as_json: Json = False,
) -> None:
    """Lists them, the newest first; exit status 1 while there are any that will not be tried again."""
    from data.ids import PersonId
    from payments.not_told import undelivered

    whose = PersonId(person) if person else None
    rows = act_in_store(lambda tx, at: undelivered(tx, whose, at - timedelta(days=days)))
    lost = [row for row in rows if row["state"] != "parked"]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo(
                "  ".join(
                    str(row[key] or "-")
                    for key in ("since", "person", "name", "about", "channel", "state", "tries")
                )
            )
        typer.echo(
            f"{len(lost)} did not arrive, {len(rows) - len(lost)} wait."
            if rows
            else "Nothing waits, nothing was lost."
        )
    raise typer.Exit(1 if lost else 0)
