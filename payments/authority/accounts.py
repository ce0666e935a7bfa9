"""The households' accounts as we keep them: sealed numbers, labels such as 妈妈家, and the list one may choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, PersonId
from data.model import Account, May, Utility, masked_name
from data.store.engine import Tx
from data.store.people import accounts, saved_accounts
from payments.authority import access, numbers, people
from payments.authority.numbers import add_account, find_account

__all__ = [
    "KnownAccount",
    "add_account",
    "find_account",
    "is_saved_for",
    "known_accounts",
    "save_for",
    "set_holder",
]


_OF_THESE = sa.select(accounts).where(
    sa.or_(
        accounts.c.holder.in_(sa.bindparam("holders", expanding=True)),
        accounts.c.id.in_(sa.bindparam("saved", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account a person need not dictate. `relation` is what its owner is to the person ("self", "father", …)."""

    account: Account
    label: str
    owner: PersonId | None
    owner_name_masked: str
    relation: str


def set_holder(tx: Tx, account_id: AccountId, holder: PersonId) -> None:
    """Links an account to the enrolled person whose name it bears. Raises people.UnknownPerson."""
    name = people.person(tx, holder).name
    values = {"holder": holder, "holder_masked": masked_name(name)}
    tx.conn.execute(accounts.update().where(accounts.c.id == account_id).values(**values))


def save_for(tx: Tx, person: PersonId, account_id: AccountId, label: str, at: datetime) -> None:
    """Lets a person choose this account from now on without dictating it.

    Who calls this vouches that it is his own, his household's or his relative's (enrolment, staff, or the
    person after a confirmed name); what the holder's household grants or takes back decides over it.
    """
    new = tx.put_new(saved_accounts, person=person, account=account_id, label=label, saved_at=at)
    if not new and label:
        mine = sa.and_(saved_accounts.c.person == person, saved_accounts.c.account == account_id)
        tx.conn.execute(saved_accounts.update().where(mine).values(label=label))


def is_saved_for(tx: Tx, person: PersonId, account_id: AccountId, before: datetime) -> bool:
    """Whether it was saved for him before an instant, e.g. before this talk (settled 5)."""
    mine = sa.and_(saved_accounts.c.person == person, saved_accounts.c.account == account_id)
    return bool(tx.conn.scalar(sa.select(sa.exists().where(mine, saved_accounts.c.saved_at < before))))


def known_accounts(
    tx: Tx, person: PersonId, at: datetime, utility: Utility | None = None
) -> list[KnownAccount]:
    """What a person may choose from now: his own, saved for him, granted to him; his own and saved ones first."""
    standing = access.standing_of(tx, person, at)
    labels = {account: label for (who, account), label in standing.saved.items() if who == person}
    kinds = {r.relative: r.kind for r in people.relatives(tx, person)}
    rows = [row for row in _candidates(tx, standing, utility) if _choosable(standing, row)]
    rows.sort(key=lambda row: (row.id not in labels, row.holder != person, row.created_at, row.id))
    return [_known(tx, person, row, labels.get(row.id, ""), kinds) for row in rows]


def _candidates(tx: Tx, standing: access.Standing, utility: Utility | None) -> list[sa.Row[Any]]:
    holders = standing.household | {grant.giver for grant in standing.grants}
    saved = {account for _, account in standing.saved}
    rows = tx.conn.execute(_OF_THESE, {"holders": list(holders), "saved": list(saved)})
    return [row for row in rows if utility is None or row.utility == utility.value]


def _choosable(standing: access.Standing, row: sa.Row[Any]) -> bool:
    allowed = access.decide(standing, May.BILLS, AccountId(row.id), row.holder)
    # A number typed today is open for today's talk only; it does not join the list.
    return allowed is not None and allowed.reason != "talk"


def _known(
    tx: Tx, person: PersonId, row: sa.Row[Any], label: str, kinds: dict[PersonId, str]
) -> KnownAccount:
    owner = PersonId(row.holder) if row.holder else None
    relation = "self" if owner == person else kinds.get(owner, "") if owner else ""
    return KnownAccount(numbers.opened(tx, row), label, owner, row.holder_masked, relation)
