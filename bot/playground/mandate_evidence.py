"""Automatic payments in played talks: agreed before the first word as a script says, and told as they stand after the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.clock import shanghai
from data.ids import AccountId, PersonId, fresh
from data.money import Money
from data.store.engine import Tx
from data.store.mandates import mandates
from data.store.post import events
from data.town import TownAccount
from payments.acts import Confirmed, Evidence
from payments.authority import accounts, numbers
from payments.terms import MandateKind, ProposedMandate, Terms

if TYPE_CHECKING:
    from bot.playground import Playground

_LIVE = ("active", "paused", "suspended")
_YEAR = timedelta(days=365)


async def agreed_before(world: Playground, value: Any) -> None:
    """`given.mandate`: each was read back, agreed to with a code, and is in force."""
    for wanted in value:
        await _agree(world, wanted)


async def _agree(world: Playground, wanted: Mapping[str, Any]) -> None:
    account = world.world.accounts[AccountId(str(wanted["account"]))]
    payer = PersonId(str(wanted.get("payer") or world.persona))
    now = world.clock.now()
    terms = _terms(account, wanted, shanghai(now).date())

    def agree(tx: Tx) -> None:
        till = world.app.till
        accounts.save_for(tx, payer, numbers.add_account(tx, account.account, now), "", now)
        proposed = till.propose_mandate(tx, proposer=payer, terms=terms, channel="web", at=now)
        assert isinstance(proposed, ProposedMandate), f"the world cannot agree to {wanted}: {proposed}"
        words = f"{terms.account} {terms.per_charge.yuan} {terms.per_month.yuan}"
        yes = Evidence(fresh("given"), "web", payer, "word", "pin", words=words, wording="given")
        done = till.confirm(tx, act=proposed.act, digest=proposed.digest, evidence=yes, at=now)
        assert isinstance(done, Confirmed), f"the world cannot agree to {wanted}: {done}"

    await world.app.store.run(agree)


def _terms(account: TownAccount, wanted: Mapping[str, Any], today: date) -> Terms:
    meter = wanted.get("below") is not None
    each = Money(int(wanted.get("per_charge") or wanted.get("amount") or 0))
    month = wanted.get("monthly_cap") or wanted.get("per_month") or each.fen
    return Terms(
        kind=MandateKind.TOP_UP if meter else MandateKind.BILL_DEBIT,
        account=account.id,
        per_charge=each,
        per_month=Money(int(month)),
        valid_until=_until(wanted.get("valid_until"), today),
        below=Money(int(wanted["below"])) if meter else None,
        amount=Money(int(wanted["amount"])) if meter else None,
        per_day=int(wanted.get("per_day") or 1),
        ask_above=wanted.get("ask_above"),
    )


def _until(written: Any, today: date) -> date:
    if isinstance(written, date):
        return written
    return today + _YEAR if written in (None, "set") else date.fromisoformat(str(written))


def urgent_causes(tx: Tx) -> frozenset[str]:
    """The news of something that would go dark within a day, as they stand in the letters they led to."""
    rows = tx.conn.execute(sa.select(events.c.id, events.c.body))
    return frozenset(f"news:{row.id}" for row in rows if row.body.get("urgent"))


def standing(tx: Tx, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every live one, with its account by the world's own name, in the words of the notation."""
    rows = tx.conn.execute(sa.select(mandates).where(mandates.c.state.in_(_LIVE)).order_by(mandates.c.id))
    return [
        {
            "account": names[row.account],
            "payer": row.payer,
            "kind": row.kind,
            "state": row.state,
            "below": row.below_fen,
            "amount": row.amount_fen,
            "per_charge": row.per_charge_fen,
            "monthly_cap": row.per_month_fen,
            "per_month": row.per_month_fen,
            "ask_above": row.ask_above,
            "valid_until": shanghai(row.valid_until - timedelta(seconds=1)).date().isoformat(),
        }
        for row in rows
    ]
