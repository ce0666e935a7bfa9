"""Makes the `given:` of an acceptance script true by the house's own means, before the first word is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.playground import audit_evidence, book_evidence, mandate_evidence, rehearsed
from data.clock import SHANGHAI
from data.ids import AccountId, ActId, InstrumentId, PersonId, fresh
from data.model import May
from data.money import Money
from data.store.engine import Tx
from data.store.payments import acts
from data.town import TownAccount
from dialogues.testing.world import Unsupported
from integrations.sandbox.control import read_fault
from payments.acts import Confirmed, Evidence, LineWish, Proposed
from payments.authority import access, accounts, numbers
from payments.quoting import Quoted

if TYPE_CHECKING:
    from bot.playground import Playground

_PENDING_SINCE = timedelta(minutes=1)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T")


async def arrange_given(world: Playground, given: Mapping[str, Any]) -> None:
    """Every key of a `given`, people and purses before payments, faults last."""
    order = (
        "stub_custom_actions",
        "slots",
        "history",
        "console",
        "account_saved",
        "instruments",
        "grant_extra",
        "mandate",
        "payment_done",
        "payment_pending",
        "tamper",
        "gateway",
        "billers",
    )
    for key in given:
        if key not in order:
            raise Unsupported(f"given.{key}")
    for key in order:
        if key in given:
            await _KEYS[key](world, given[key])


async def _console(world: Playground, value: Any) -> None:
    if value != "shared_device":
        raise Unsupported("given.console")
    raise Unsupported("given.console.shared_device")


async def _account_saved(world: Playground, value: Any, persona: str | None = None) -> None:
    if isinstance(value, Mapping):
        for person, account in value.items():
            await _account_saved(world, account, person)
        return
    person = persona or world.persona
    wanted = value if isinstance(value, list) else [value]
    at = world.clock.now()

    def save(tx: Tx) -> None:
        for name in wanted:
            account = numbers.add_account(tx, _town_account(world, name).account, at)
            accounts.save_for(tx, PersonId(person), account, "", at)

    await world.app.store.run(save)


def _town_account(world: Playground, name: str) -> TownAccount:
    return world.world.accounts[AccountId(name)]


async def _instruments(world: Playground, value: Mapping[str, Any]) -> None:
    for purse, wanted in value.items():
        await world.control.set_funds(purse, Money(int(wanted["funds"])))


async def _grant_extra(world: Playground, value: Mapping[str, Any]) -> None:
    payer, elder, at = PersonId(value["payer"]), PersonId(value["elder"]), world.clock.now()

    def give(tx: Tx) -> None:
        purse = access.instruments_of(tx, payer)[0]
        access.grant(
            tx,
            payer,
            elder,
            [May.CONFIRM_PAYMENT],
            at,
            instrument=InstrumentId(purse.id),
            per_payment=Money(int(value["per_payment_max"])),
            per_month=Money(int(value["per_month_max"])),
        )

    await world.app.store.run(give)


async def _faults(world: Playground, side: str, value: Any) -> None:
    if isinstance(value, str):
        await world.control.fault(side, "down" if value == "all_down" else value)  # type: ignore[arg-type]
        return
    for where, words in value.items():
        kind, seconds = read_fault(words)
        account = None if where == "next" else str(where)
        await world.control.fault(side, kind, seconds=seconds, account=account)  # type: ignore[arg-type]


async def _gateway(world: Playground, value: Any) -> None:
    await _faults(world, "rail", value)


async def _billers(world: Playground, value: Any) -> None:
    await _faults(world, "biller", value)


async def changed(world: Playground, value: Mapping[str, Any]) -> None:
    """A bill changed at its biller: paid elsewhere, or another amount is due."""
    for account, change in value.items():
        if account in ("fen", "via"):
            continue
        if change == "paid_elsewhere":
            await world.control.change_account(account, paid_elsewhere_fen=int(value.get("fen", 0)))
        else:
            await world.control.change_account(account, due_fen=int(change["due"]))


async def _payment_done(world: Playground, value: Mapping[str, Any]) -> None:
    if at := value.get("at"):
        await world.move_to(_instant(at))
    if value.get("biller") == "no_ack":
        await world.control.change_account(str(value["account"]), acks="manual")
    await _pay(world, value)


async def _payment_pending(world: Playground, value: Mapping[str, Any]) -> None:
    await world.move_to(world.start_at - _PENDING_SINCE)
    await world.control.fault("rail", "pending", operation="charge", uses=1)
    await _pay(world, value)


def _instant(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


async def _pay(world: Playground, value: Mapping[str, Any]) -> None:
    """An earlier payment, made the way every payment is made: quoted, proposed, confirmed, carried out."""
    account = _town_account(world, str(value["account"]))
    payer = PersonId(value.get("payer") or _usual_payer(world, account))
    await _account_known(world, payer, account)
    quoted = await world.app.desk.quoting.quote(payer, account.id)
    assert isinstance(quoted, Quoted), f"the world cannot pay {account.id}: {quoted}"
    wish = LineWish(account.id, quoted.quote.id, Money(int(value["fen"])))
    now = world.clock.now()

    def confirm(tx: Tx) -> Confirmed:
        till = world.app.till
        proposed = till.propose(tx, proposer=payer, wishes=[wish], channel="web", at=now)
        assert isinstance(proposed, Proposed), f"the world cannot pay {account.id}: {proposed}"
        yes = Evidence(fresh("given"), "web", payer, "word", "pin")
        done = till.confirm(tx, act=ActId(proposed.act), digest=proposed.digest, evidence=yes, at=now)
        assert isinstance(done, Confirmed), f"the world cannot pay {account.id}: {done}"
        tx.conn.execute(sa.update(acts).where(acts.c.id == proposed.act).values(channel="web"))
        return done

    done = await world.app.store.run(confirm)
    await world.app.runner.advance_now(done.payments)


def _usual_payer(world: Playground, account: TownAccount) -> PersonId:
    """The holder when he has a purse, else the relative who may pay."""
    if account.holder and world.world.purse_of(account.holder):
        return account.holder
    may_pay = (g.to for g in world.world.grants if g.elder == account.holder and May.PAY in g.may)
    return next(may_pay)


async def _account_known(world: Playground, payer: PersonId, account: TownAccount) -> None:
    at = world.clock.now()
    await world.app.store.run(lambda tx: numbers.add_account(tx, account.account, at))


_KEYS = {
    "stub_custom_actions": rehearsed.answer_as_told,
    "slots": rehearsed.begin_with,
    "history": audit_evidence.arrange_history,
    "tamper": book_evidence.tamper,
    "console": _console,
    "account_saved": _account_saved,
    "instruments": _instruments,
    "grant_extra": _grant_extra,
    "mandate": mandate_evidence.agreed_before,
    "payment_done": _payment_done,
    "payment_pending": _payment_pending,
    "gateway": _gateway,
    "billers": _billers,
}
