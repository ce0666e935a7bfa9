"""The operator's commands: is the money well, pause sending it, go on, and what is paused now."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from data.store.engine import Store, Tx
    from payments.examining import Found, Room

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]
Biller = Annotated[str, typer.Option("--biller", help="only this biller of the catalogue (sh-water)")]
Rail = Annotated[str, typer.Option("--rail", help="only this payment rail")]
By = Annotated[
    str, typer.Option("--by", help="who does it, for the audit; default: the name you are signed in with")
]


def doctor(as_json: Json = False) -> None:
    """Examines the configured database; exit status 1 when a promise about money is broken."""
    from data import catalogue
    from data.clock import SystemClock
    from payments.doctor import INVARIANTS, Doctor
    from payments.limits import Limits

    store = _store()
    try:
        report = Doctor(store, SystemClock(), catalogue.load(), Limits(), more=(talks_page,)).examine()
        looked_at = store.run_now(_looked_at)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
        raise typer.Exit(0 if report.well else 1)
    broken = {found.invariant: found for found in report.findings}
    for number, sentence in INVARIANTS.items():
        found = broken.get(number)
        typer.echo(f"{'BROKEN' if found else 'ok    '}  {number:<6} {sentence}")
        if found:
            typer.echo(f"        {found.count}: {', '.join(found.rows)}")
    typer.echo(looked_at)
    typer.echo("All is well." if report.well else f"{len(broken)} promises are broken.")
    raise typer.Exit(0 if report.well else 1)


def _looked_at(tx: Tx) -> str:
    """An empty database is well too: whoever looked into the wrong one must see it."""
    import sqlalchemy as sa

    from data.store.payments import payments
    from payments import ledger

    made = tx.conn.scalar(sa.select(sa.func.count()).select_from(payments)) or 0
    if not made:
        return "There is no payment in this database. Does BANGJIAO_DATABASE_URL name the right one?"
    return f"Looked at {made} payments and {ledger.lines_in(tx)} lines of the book."


def talks_page(tx: Tx, room: Room, after: Any) -> tuple[list[Found], Any]:
    """Some turns of talks, as they were kept: no whole number may stand in them (M-I14)."""
    import sqlalchemy as sa

    from data.store.talks import turns
    from payments.examining import next_key
    from payments.examining_words import shows_a_number

    query = sa.select(turns).where(turns.c.seq > (after or 0)).order_by(turns.c.seq).limit(room.page)
    rows = list(tx.conn.execute(query))
    found = [
        ("M-I14", f"turns:{row.seq}")
        for row in rows
        if any(shows_a_number(tx, room, text) for text in _texts(tx, row))
    ]
    return found, next_key(rows, lambda row: row.seq, room.page)


def _texts(tx: Tx, row: Any) -> list[str]:
    at = f"{row.channel}:{row.event_id}"
    return [tx.seal.open("turns.heard", at, row.heard), tx.seal.open("turns.said", at, row.said)]


def pause(
    reason: Annotated[str, typer.Option("--reason", help="why, for the audit and for colleagues")],
    biller: Biller = "",
    rail: Rail = "",
    by: By = "",
) -> None:
    """Nothing new is sent to the rail until `bangjiao resume`; what was sent is followed to its end."""
    from bot.app import RAILS
    from data import catalogue
    from payments import pausing

    scope, subject = _what(biller, rail)
    if biller and biller not in catalogue.load().rows:
        raise SystemExit(f"There is no biller {biller} in the catalogue.")
    if rail and rail not in RAILS:
        raise SystemExit(f"There is no rail {rail}. This house has: {', '.join(RAILS)}.")
    if not reason.strip():
        raise SystemExit("Say why in --reason: colleagues will ask.")
    done = act_in_store(
        lambda tx, at: pausing.pause(
            tx, scope=scope, subject=subject, reason=reason.strip()[:200], by=who(by), at=at
        )
    )
    typer.echo("Paused." if done else "That is paused already.")


def resume(biller: Biller = "", rail: Rail = "", by: By = "") -> None:
    """Ends the named pause, or every pause; what waited goes on by itself."""
    from payments import pausing

    scope, subject = _what(biller, rail)
    chosen = scope if biller or rail else None
    ended = act_in_store(lambda tx, at: pausing.resume(tx, by=who(by), at=at, scope=chosen, subject=subject))
    typer.echo(f"{ended} pauses ended." if ended != 1 else "1 pause ended.")


def pauses(as_json: Json = False) -> None:
    """What is paused now, since when, by whom and why, and whether the rail answers."""
    from payments import pausing

    held = act_in_store(lambda tx, at: pausing.in_force(tx))
    outage = act_in_store(lambda tx, at: pausing.last_outage(tx, at))
    rows = [
        {"scope": p.scope, "subject": p.subject, "reason": p.reason, "by": p.by, "since": p.since.isoformat()}
        for p in held
    ]
    down = outage is not None and outage.over_at is None
    if as_json:
        since = outage.since.isoformat() if outage is not None and down else None
        typer.echo(json.dumps({"pauses": rows, "rail_down_since": since}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['scope']} {row['subject']}  since {row['since']}  by {row['by']}: {row['reason']}")
    if outage is not None and down:
        typer.echo(f"The rail {outage.rail} has not answered since {outage.since.isoformat()}.")
    if not rows and not down:
        typer.echo("Nothing is paused.")


def _what(biller: str, rail: str) -> tuple[str, str]:
    from payments import pausing

    if biller and rail:
        raise SystemExit("Name a biller or a rail, not both.")
    if biller:
        return pausing.BILLER, biller
    return (pausing.RAIL, rail) if rail else (pausing.ALL, "")


def who(by: str) -> str:
    """The name for the audit."""
    name = by.strip()
    if not name:
        with suppress(OSError, KeyError):  # a container may know no names
            name = getpass.getuser()
    return (name or "shell")[:40]


def act_in_store(fn: Callable[[Tx, datetime], T]) -> T:
    """One transaction in the configured store."""
    from data.clock import SystemClock

    store = _store()
    try:
        at = SystemClock().now()
        return store.run_now(lambda tx: fn(tx, at))
    finally:
        store.close()


def _store() -> Store:
    from bot.app import open_store

    settings = Settings()
    if not settings.lasts:
        raise SystemExit(
            "Set BANGJIAO_SECRET to the secret the server runs with: nothing else opens its rows."
        )
    return open_store(settings)


def register(app: typer.Typer) -> None:
    """Puts the commands where `bangjiao` finds them."""
    app.command(
        "doctor", help="Check every promise about money in the database. Example: bangjiao doctor --json"
    )(doctor)
    app.command(
        "pause",
        help='Send no new payments. Example: bangjiao pause --biller sh-water --reason "wrong amounts"',
    )(pause)
    app.command("resume", help="End a pause, or all. Example: bangjiao resume --biller sh-water")(resume)
    app.command("pauses", help="What is paused, by whom and why. Example: bangjiao pauses --json")(pauses)
