"""Keeping the house's papers: changing its secret, and backing everything up and putting it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.settings import Settings

if TYPE_CHECKING:
    from data.store.engine import Sealer

Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]

_SHOWN = 20  # of what is left

keys_app = typer.Typer(
    no_args_is_help=True,
    help="The secret that seals everything: change it, and prove that the old one is not needed. Example: bangjiao keys check",
)


def register(app: typer.Typer) -> None:
    """Puts these commands beside the others."""
    app.add_typer(keys_app, name="keys")
    app.command(help="Copy everything to FILE while people are served. Example: bangjiao backup house.db")(
        backup
    )
    app.command(
        help="Put a backup into an empty database. Example: bangjiao restore house.db --into sqlite:///var/new.db"
    )(restore)


@keys_app.command(
    help="Seal everything anew. Set BANGJIAO_SECRET to the new secret and BANGJIAO_SECRET_BEFORE to the one until now, restart, then run this. Example: bangjiao keys rotate"
)
def rotate(as_json: Json = False) -> None:
    from bot.app import open_store
    from data.store import rekeying

    settings = _lasting()
    if not settings.secret_before.get_secret_value():
        raise SystemExit(
            "Set BANGJIAO_SECRET_BEFORE to the secret used until now, and BANGJIAO_SECRET to the new one."
        )
    store = open_store(settings)
    try:
        sealed = rekeying.rekey(store)
        left = list(rekeying.leftovers(store, _alone(settings)))
    finally:
        store.close()
    _report(as_json, sealed, left)


@keys_app.command(
    help="Whether everything opens without the secret before. Example: bangjiao keys check --json"
)
def check(as_json: Json = False) -> None:
    from bot.app import open_store
    from data.store import rekeying

    settings = _lasting()
    store = open_store(settings)
    try:
        left = list(rekeying.leftovers(store, _alone(settings)))
    finally:
        store.close()
    _report(as_json, 0, left)


def _report(as_json: bool, sealed: int, left: list[str]) -> None:
    if as_json:
        typer.echo(json.dumps({"sealed": sealed, "left": left}))
    elif left:
        typer.echo("\n".join(left[:_SHOWN]))
        typer.echo(f"{len(left)} values still need the secret before. Run: bangjiao keys rotate")
    else:
        done = f"{sealed} values sealed anew. " if sealed else ""
        typer.echo(f"{done}Everything opens with the present secret; BANGJIAO_SECRET_BEFORE may go.")
    raise typer.Exit(1 if left else 0)


def _alone(settings: Settings) -> Sealer:
    from data.store.sealing import Sealer

    return Sealer.from_secret(settings.secret.get_secret_value())


def _lasting() -> Settings:
    settings = Settings()
    if not settings.lasts:
        raise SystemExit("Set BANGJIAO_SECRET to the secret of the house: nothing else opens its rows.")
    return settings


# --- backup ---------------------------------------------------------------------------------------------------------


def backup(
    file: Annotated[Path, typer.Argument(help="where the copy goes; never written over")],
    as_json: Json = False,
) -> None:
    """One moment of the whole store."""
    from bot.app import open_store
    from data.store.backup import CannotBackUp, back_up

    store = open_store(_lasting())
    try:
        copied = back_up(store, file)
    except CannotBackUp as problem:
        raise SystemExit(str(problem)) from None
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps({"file": str(file), "rows": copied.rows}))
    else:
        typer.echo(f"{copied.total} rows in {file}. It opens with BANGJIAO_SECRET only: keep that elsewhere.")


def restore(
    file: Annotated[Path, typer.Argument(help="a backup")],
    into: Annotated[str, typer.Option(help="sqlite:///FILE or postgresql+psycopg://…, empty")],
    as_json: Json = False,
) -> None:
    """The backup put back, the books checked, and payments under way made to ask."""
    from bot.app import open_store
    from data.clock import SystemClock
    from data.store import backup as copies
    from data.store import journal
    from payments import ledger, taking_up
    from payments.limits import Limits

    settings = _lasting().model_copy(update={"database_url": into})
    store = open_store(settings)
    try:
        at = SystemClock().now()
        done: list[taking_up.TakenUp] = []
        copied = copies.restore(
            file,
            store,
            lambda tx: done.append(taking_up.take_up(tx, "restore", at, Limits().send_within)),
        )
        taken = done[-1]  # a transaction that met another one is tried again
        store.take_up_keys()
        broken = store.run_now(lambda tx: len(ledger.verify(tx)) + len(journal.verify(tx)))
    except copies.CannotRestore as problem:
        raise SystemExit(str(problem)) from None
    finally:
        store.close()
    if as_json:
        told = {"rows": copied.rows, "asked": taken.asked, "looked_at": taken.looked_at, "broken": broken}
        told |= {"as_of": taken.as_of.isoformat(), "resting": taken.resting, "came_back": taken.came_back}
        typer.echo(json.dumps(told))
    else:
        typer.echo(
            f"{copied.total} rows are back; {broken} broken lines in ledger and audit.\n"
            f"{taken.asked} payments go on by asking under their own numbers; {taken.looked_at} wait for a person.\n"
            f"{taken.resting} automatic payments rest until their payers say 接着缴, or `bangjiao mandates go-on`.\n"
            f"The records are of {taken.as_of.isoformat(timespec='seconds')}. What was taken back or changed since is as it was "
            f"then: {_listed(taken.came_back)}. See `bangjiao people list`, and ask whom it concerns.\n"
            "Nothing new is sent. Point BANGJIAO_DATABASE_URL here, compare the rail's statements since the backup "
            "(bangjiao reconcile --day …), then let it go on: bangjiao resume"
        )
    raise typer.Exit(1 if broken else 0)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
