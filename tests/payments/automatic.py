"""The household of the till with a daughter who may pay her father's bills by themselves: what tests of mandates start from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from data.ids import AccountId, PersonId
from data.model import May, MonthUse
from data.money import Money
from data.store import letters
from payments.acts import Confirmed, Evidence, Refusal
from payments.authority import access
from payments.terms import Clauses, MandateKind, MandateView, ProposedMandate, Terms
from tests.payments.household import E_LI, LIJG, LIMIN, W_LI, House

METER, WATER = "1100223344", "2200556677"
_YUAN = (62, 58, 60, 95, 168, 175, 110, 60, 72, 98, 105, 97)
LAST_YEAR = [
    MonthUse(date(2025 + (n + 2) // 12, (n + 2) % 12 + 1, 1), Money(yuan * 100))
    for n, yuan in enumerate(_YUAN)
]

TOP_UP = Terms(
    MandateKind.TOP_UP,
    E_LI,
    per_charge=Money(10_000),
    per_month=Money(30_000),
    valid_until=date(2027, 3, 10),
    below=Money(2_000),
    amount=Money(10_000),
)
BILL = Terms(
    MandateKind.BILL_DEBIT,
    W_LI,
    per_charge=Money(10_000),
    per_month=Money(20_000),
    valid_until=date(2027, 3, 10),
)
WORDS = "李*国电费,低于20元自动充100元,一个月最多300元"


def allow(house: House) -> None:
    """The father lets his daughter agree to automatic payments; the town tells how much the meter uses."""
    house.store.run_now(lambda tx: access.grant(tx, LIJG, LIMIN, [May.MANDATE], house.now))
    house.town.daily_use[METER] = Money(320)
    house.town.used[METER] = LAST_YEAR
    house.town.due_dates[WATER] = date(2026, 3, 20)


async def pass_and_look(house: House, by: timedelta) -> None:
    """Time passes, and the round over the agreements is made."""
    await house.later(by)
    await house.sweep()


def propose(
    house: House, terms: Terms = TOP_UP, by: PersonId = LIMIN, replaces: str | None = None
) -> ProposedMandate | Refusal:
    return house.store.run_now(
        lambda tx: house.till.propose_mandate(
            tx, proposer=by, terms=terms, channel="telegram", at=house.now, replaces=replaces
        )
    )


def yes(house: House, act: ProposedMandate, **how: Any) -> object:
    said: dict[str, Any] = {"by": act.payer, "factor": "code", "words": WORDS, **how}
    evidence = Evidence("ev1", "telegram", said["by"], "word", said["factor"], said["words"], "utter_read@1")
    return house.store.run_now(
        lambda tx: house.till.confirm(tx, act=act.act, digest=act.digest, evidence=evidence, at=house.now)
    )


def agreed(
    house: House, terms: Terms = TOP_UP, by: PersonId = LIMIN, replaces: str | None = None
) -> MandateView:
    """A mandate in force."""
    proposed = propose(house, terms, by, replaces)
    assert isinstance(proposed, ProposedMandate), proposed
    assert yes(house, proposed) == Confirmed(())
    found = at(house, terms.account)
    assert found is not None
    return found


def at(house: House, account: AccountId = E_LI) -> MandateView | None:
    return house.store.run_now(lambda tx: house.till.mandate_at(tx, account, house.now))


async def meter(house: House, fen: int, after: timedelta = timedelta(minutes=5)) -> None:
    """Time passes, the meter says something, and somebody reads it."""
    await house.later(after)
    house.town.prepaid[METER] = Money(fen)
    await house.sweep()


def stop(house: House, mandate: str, by: PersonId = LIMIN) -> bool:
    return house.store.run_now(lambda tx: house.till.stop_mandate(tx, mandate, by, house.now))


def told(house: House, person: PersonId, kind: str) -> list[dict[str, Any]]:
    """The bodies of one kind of news for a person, oldest first."""
    far = house.now + timedelta(days=1000)
    news = house.store.run_now(lambda tx: letters.news_due(tx, far, person, 500))
    return [n.body for n in news if n.kind == kind]


def capped(**caps: Any) -> Terms:
    return replace(TOP_UP, **caps)


def took(house: House) -> list[int]:
    """What the rail really collected."""
    return [amount.fen for _, amount in house.town.captures]


def lower(house: House, mandate: str, by: PersonId = LIMIN, **clauses: Any) -> bool:
    """Takes less at once; False when it was refused."""
    wanted = Clauses(**clauses)
    done = house.store.run_now(lambda tx: house.till.take_less(tx, mandate, by, house.now, wanted))
    return isinstance(done, Terms)
