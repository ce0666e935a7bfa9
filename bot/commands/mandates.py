"""`bangjiao mandates`: which automatic payments rest since a backup was put back, and letting them go on with a reason."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.commands.operator import By, act_in_store, who

app = typer.Typer(
    no_args_is_help=True,
    help="Automatic payments that rest since a backup was put back. Example: bangjiao mandates resting",
)
Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]


def register(root: typer.Typer) -> None:
    """Puts the group beside the other commands."""
    root.add_typer(app, name="mandates")


@app.command(help="Which rest until their payers say 接着缴. Example: bangjiao mandates resting --json")
def resting(as_json: Json = False) -> None:
    from payments import resting as rests

    held = act_in_store(lambda tx, at: rests.at_rest(tx))
    rows = [{"id": m.id, "payer": m.payer, "account": m.account, "kind": m.terms.kind.value} for m in held]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(row.values()))
    typer.echo(f"{len(rows)} rest." if rows else "None rests.")


@app.command(
    "go-on",
    help='Let one go on, or all, after its payer said so elsewhere. Example: bangjiao mandates go-on man_1 --reason "called him"',
)
def go_on(
    reason: Annotated[str, typer.Option("--reason", help="how you know that it still stands, for the audit")],
    mandate: Annotated[str, typer.Argument(help="which; see `bangjiao mandates resting`")] = "",
    all_of_them: Annotated[bool, typer.Option("--all", help="every one that rests")] = False,
    by: By = "",
) -> None:
    from payments import resting as rests

    if bool(mandate) is all_of_them:
        raise SystemExit("Name one, or say --all.")
    if not reason.strip():
        raise SystemExit("Say in --reason how you know: its payer may have stopped it since the backup.")
    name, why = who(by), reason.strip()[:200]
    chosen = [m.id for m in act_in_store(lambda tx, at: rests.at_rest(tx))] if all_of_them else [mandate]
    done = act_in_store(lambda tx, at: [m for m in chosen if rests.let_go_on(tx, m, name, why, at)])
    typer.echo(f"{len(done)} go on; their payers are told.")
    raise typer.Exit(0 if len(done) == len(chosen) else 1)
