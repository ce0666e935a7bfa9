"""`bangjiao ledger` and `bangjiao reconcile`: is the book whole, written out for others, and does it equal the statements."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.settings import Settings
from data.clock import SystemClock, shanghai

if TYPE_CHECKING:
    from data.money import Money
    from data.store.engine import Store, Tx
    from payments.differences import Found
    from payments.ledger import Broken
    from payments.reconcile import Reconciled

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]

app = typer.Typer(
    no_args_is_help=True,
    help="The book of all money that moved: verify, export, balances, receipts. Example: bangjiao ledger verify",
)


class Format(StrEnum):
    """How the book is written out."""

    HLEDGER = "hledger"
    CSV = "csv"


def register(root: typer.Typer) -> None:
    """Adds the group and the nightly comparison to the command."""
    root.add_typer(app, name="ledger")
    root.command(
        help="Compare a day's statements with the book; exit status 1 when they differ, 2 when a file is late. "
        "Example: bangjiao reconcile --day 2026-03-10"
    )(reconcile)


# --- the book -------------------------------------------------------------------------------------------------------


@app.command(
    help="Go through the whole chain; exit status 1 when a line was changed, taken out or put in. Example: bangjiao ledger verify --json"
)
def verify(as_json: Json = False) -> None:
    from payments import ledger

    lines, broken = _read(lambda tx: (ledger.lines_in(tx), _noted(tx, ledger.verify(tx))))
    if as_json:
        told = [_broken_row(one) for one in broken]
        typer.echo(json.dumps({"whole": not broken, "lines": lines, "broken": told}))
    elif broken:
        typer.echo("\n".join(f"line {b.seq}, {_day(b.at)}: {b.why}" for b in broken))
    else:
        typer.echo(f"The book is whole: {lines} lines.")
    raise typer.Exit(1 if broken else 0)


def _noted(tx: Tx, broken: list[Broken]) -> list[Broken]:
    """Whoever found it, the record says so."""
    from data.ids import PersonId
    from data.store import journal

    if broken:
        journal.record(
            tx,
            kind="tamper_found",
            person=PersonId("ledger"),
            actor=PersonId("machine"),
            subject=f"ledger:{broken[0].seq}",
            at=SystemClock().now(),
            body={"lines": [b.seq for b in broken[:20]]},
        )
    return broken


def _broken_row(one: Broken) -> dict[str, Any]:
    return {"line": one.seq, "date": _day(one.at), "why": one.why}


def _day(at: datetime | None) -> str:
    return shanghai(at).date().isoformat() if at else "?"


@app.command(
    help="Write the book out without account numbers. Example: bangjiao ledger export --format hledger --out book.journal"
)
def export(
    form: Annotated[Format, typer.Option("--format", help="hledger or csv")] = Format.HLEDGER,
    out: Annotated[Path | None, typer.Option(help="a file to write; else standard output")] = None,
) -> None:
    from payments.ledger_export import FORMATS

    text = "\n".join(_read(lambda tx: list(FORMATS[form.value](tx)))) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


@app.command(help="What stands on each account; they add up to zero. Example: bangjiao ledger balances")
def balances(as_json: Json = False) -> None:
    from payments import ledger

    found: dict[str, Money] = _read(ledger.balances)
    if as_json:
        typer.echo(json.dumps({name: amount.fen for name, amount in sorted(found.items())}))
    else:
        for name, amount in sorted(found.items()):
            typer.echo(f"{amount.yuan:>14}  {name}")


@app.command(
    help="Compare the check code of a receipt with the book; exit status 1 unless it holds. People can ask the same at the address /receipt. Example: bangjiao ledger check 2-7KQ4-M2XP"
)
def check(code: str, as_json: Json = False) -> None:
    from payments import receipts

    found = _read(lambda tx: receipts.check(tx, code))
    if as_json:
        told = {
            "verdict": found.verdict,
            "date": _day(found.at) if found.at else None,
            "biller": found.biller,
            "amount_fen": found.amount.fen if found.amount else None,
            "broken": [_broken_row(one) for one in found.broken],
        }
        typer.echo(json.dumps(told))
    elif found.verdict == receipts.HOLDS:
        typer.echo(f"The receipt is true: {_day(found.at)}, {found.biller}, {found.amount}, written off.")
    elif found.verdict == receipts.TAMPERED:
        named = "; ".join(f"line {b.seq}, {_day(b.at)}: {b.why}" for b in found.broken)
        typer.echo(f"THE BOOK WAS TAMPERED WITH: {named}")
    else:
        typer.echo("No receipt in the book has this code.")
    raise typer.Exit(0 if found.verdict == receipts.HOLDS else 1)


@app.command(help="The check code for the receipt of a payment. Example: bangjiao ledger code pay_…")
def code(payment: str) -> None:
    from data.ids import PaymentId
    from payments.receipts import code_of

    found = _read(lambda tx: code_of(tx, PaymentId(payment)))
    if found is None:
        raise SystemExit("This payment was not written off: it has no receipt.")
    typer.echo(found)


# --- statements -----------------------------------------------------------------------------------------------------


def reconcile(
    day: Annotated[str, typer.Option(help="the Shanghai day, 2026-03-10; default: yesterday")] = "",
    as_json: Json = False,
) -> None:
    """Fetches the statements of one day and compares them; the running worker then asks where it can."""
    from bot.app import gateway
    from payments.limits import Limits
    from payments.reconcile import Reconciliation, yesterday

    clock = SystemClock()
    wanted = _read_day(day) if day else yesterday(clock.now())

    async def run() -> Reconciled:
        billers, rail = gateway(Settings())
        try:
            return await Reconciliation(store, rail, billers, clock, Limits()).run(wanted)
        finally:
            await billers.aclose()
            await rail.aclose()

    store = _store()
    try:
        done = asyncio.run(run())
    finally:
        store.close()
    typer.echo(json.dumps(_report(done)) if as_json else "\n".join(_lines(done)))
    raise typer.Exit(1 if done.standing else 0 if done.complete else 2)


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written 2026-03-10", param_hint="--day") from None


def _report(done: Reconciled) -> dict[str, Any]:
    return {
        "day": done.day.isoformat(),
        "over": done.over,
        "complete": done.complete,
        "files": [
            {"party": f.party, "lines": f.lines, "sum_fen": f.theirs.fen, "trouble": f.trouble or None}
            for f in done.files
        ],
        "opened": [_found_row(f) for f in done.opened],
        "closed": [f.id for f in done.closed],
        "open": [_found_row(f) for f in done.standing],
        "asked": list(done.asked),
    }


def _found_row(found: Found) -> dict[str, Any]:
    return {
        "id": found.id,
        "party": found.party,
        "kind": found.kind,
        "day": found.day.isoformat(),
        "number": found.number or None,
        "payment": found.payment,
        "ours_fen": found.ours.fen if found.ours else None,
        "theirs_fen": found.theirs.fen if found.theirs else None,
        "ticket": found.ticket,
        "found_at": found.found_at.isoformat(),
    }


def _lines(done: Reconciled) -> list[str]:
    files = [
        f"{f.party}: {f.trouble}" if f.trouble else f"{f.party}: {f.lines} lines, {f.theirs}"
        for f in done.files
    ]
    end = f"{len(done.standing)} differences are open." if done.standing else "Nothing differs."
    return [done.day.isoformat(), *files, *(_found_line(f) for f in done.standing), end]


def _found_line(found: Found) -> str:
    ours, theirs = (str(m) if m else "-" for m in (found.ours, found.theirs))
    what = found.payment or found.number or found.detail
    return f"{found.id}  {found.party} {found.kind}  {what}  ours {ours}, theirs {theirs}"


@app.command(help="What statements and book still say differently. Example: bangjiao ledger differences")
def differences(as_json: Json = False) -> None:
    from payments.differences import listed

    found = _read(listed)
    if as_json:
        typer.echo(json.dumps([_found_row(f) for f in found]))
    else:
        typer.echo("\n".join(map(_found_line, found)) or "Nothing differs.")
    raise typer.Exit(1 if found else 0)


@app.command(help="Lay a difference to rest and say why. Example: bangjiao ledger close dif_… '通道来函更正'")
def close(
    id: str,
    why: str,
    by: Annotated[
        str, typer.Option("--by", help="who does it; default: the name you are signed in with")
    ] = "",
) -> None:
    from payments.differences import close as lay_to_rest

    name = by or getpass.getuser()
    if not _read(lambda tx: lay_to_rest(tx, id, name, why, SystemClock().now())):
        raise SystemExit("No open difference has this id.")
    typer.echo(f"{id} is closed: {why}")


# --- the store ------------------------------------------------------------------------------------------------------


def _store() -> Store:
    from bot.app import open_store

    settings = Settings()
    if not settings.lasts:
        raise SystemExit(
            "Set BANGJIAO_SECRET to the secret the server runs with: nothing else opens its rows."
        )
    return open_store(settings)


def _read(fn: Callable[[Tx], T]) -> T:
    store = _store()
    try:
        return store.run_now(fn)
    finally:
        store.close()
