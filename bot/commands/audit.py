"""`bangjiao audit`: an auditor traces a yuan, decides it once more, and takes a sample of talks without names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.settings import Settings
from data.clock import SystemClock, shanghai
from data.ids import PaymentId, PersonId
from data.money import Money

if TYPE_CHECKING:
    from data.store.engine import Tx
    from payments.replaying import Replay

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]
As = Annotated[
    str, typer.Option("--as", help="who looks: an auditor or operator; without it, whoever has the machine")
]

app = typer.Typer(
    no_args_is_help=True, help="Trace a payment, replay it, sample talks. Example: bangjiao audit trace pay_…"
)


@app.command(
    help="The whole chain of a payment, from consent to posting. Example: bangjiao audit trace pay_…"
)
def trace(payment: str, by: As = "", as_json: Json = False) -> None:
    from payments import tracing

    found = _read(lambda tx, at: tracing.trace(tx, PaymentId(payment), _reader(by), at))
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(found)))
    raise typer.Exit(0 if found.whole else 1)


@app.command(help="Decide a payment once more and compare. Example: bangjiao audit replay pay_…")
def replay(payment: str, by: As = "", as_json: Json = False) -> None:
    from data import catalogue
    from payments import replaying, tracing
    from payments.limits import Limits

    def again(tx: Tx, at: datetime) -> Replay:
        tracing.note(tx, PaymentId(payment), _reader(by), at)
        return replaying.replay(tx, PaymentId(payment), Limits(), catalogue.load())

    found = _read(again)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        typer.echo("一致 / the same" if found.same else f"不一致 / differs: {', '.join(found.differences)}")
    raise typer.Exit(0 if found.same else 1)


@app.command(
    help="A sample of one month's talks without names. Example: bangjiao audit sample --month 2026-02 --count 20 --seed 7 --out talks.jsonl"
)
def sample(
    month: Annotated[str, typer.Option(help="the Shanghai month, 2026-02")],
    out: Annotated[Path, typer.Option(help="file to write, one talk a line")],
    count: Annotated[int, typer.Option(min=1, help="how many talks")] = 20,
    seed: Annotated[int, typer.Option(help="the same seed draws the same talks")] = 1,
    by: As = "",
) -> None:
    from dialogues import sampling

    try:
        first = datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007 -- a month, not an instant
    except ValueError:
        raise typer.BadParameter("a month is written 2026-02", param_hint="--month") from None
    drawn = _read(lambda tx, at: sampling.draw(tx, first, count, seed, _reader(by), at))
    out.write_text(drawn.as_lines(), "utf-8")
    typer.echo(f"{len(drawn.talks)} of {drawn.of} talks, seed {seed}, {drawn.digest[:12]}: {out}")


def _reader(by: str) -> PersonId:
    from payments.tracing import AT_THE_MACHINE

    return PersonId(by) if by else AT_THE_MACHINE


def _read(read: Callable[[Tx, datetime], T]) -> T:
    """One transaction, in which the look itself is written down; a refused look too."""
    from bot.app import open_store
    from payments.states import NoSuchPayment
    from payments.tracing import NotAnAuditor

    settings = Settings()
    if not settings.lasts:
        raise SystemExit(
            "Set BANGJIAO_SECRET to the secret the server runs with: nothing else opens its rows."
        )
    store = open_store(settings)

    try:
        return store.run_now(lambda tx: read(tx, SystemClock().now()))
    except NoSuchPayment:
        raise SystemExit("There is no such payment.") from None
    except NotAnAuditor:
        raise SystemExit(
            "Only an auditor or operator may read this. That you asked is written down."
        ) from None
    finally:
        store.close()


def _lines(found: Any) -> list[str]:
    """The chain for a terminal: time, step, row, and what it says."""
    head = (
        f"{found.payment}  {found.amount.yuan} yuan  {found.biller} {found.holder_masked} *{found.tail}  "
        f"{found.state.value}{'  by itself' if found.by_itself else ''}"
    )
    rows = [
        f"{_time(link.at):19}  {link.step:9}  {link.row:40}  {_facts(link.facts)}".rstrip()
        for link in found.links
    ]
    gaps = [f"GAP  {gap.part}: {gap.why} ({gap.row})" for gap in found.gaps]
    return [head, *rows, *(gaps or ["The chain is whole."])]


def _time(at: datetime | None) -> str:
    return shanghai(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _facts(facts: dict[str, Any]) -> str:
    return "  ".join(f"{_said(name, value)}" for name, value in facts.items() if value not in (None, ""))


def _said(name: str, value: Any) -> str:
    """Amounts in yuan under a name that does not say fen."""
    if name.endswith("fen") and isinstance(value, int):
        return f"{name.removesuffix('fen').removesuffix('_') or 'yuan'}={Money(value).yuan}"
    return f"{name}={value}"
