"""What an automatic payment is agreed to be: account, trigger, amount, caps and how long; and how it is shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from data.ids import AccountId, ActId, BillerId, InstrumentId, PaymentId, PersonId
from data.model import MonthUse, Utility
from data.money import Money
from payments.acts import Strength
from payments.states import MandateState

__all__ = [
    "EVERY_TIME",
    "NEVER_ASKED",
    "Charge",
    "Clauses",
    "DryRun",
    "MandateKind",
    "MandateState",
    "MandateView",
    "MonthUse",
    "ProposedMandate",
    "Terms",
]


EVERY_TIME = 0  # of any month before: asked first whatever is to be paid
NEVER_ASKED = -1  # said anew: from now on not asked first


class MandateKind(StrEnum):
    """A prepaid meter that is topped up when low, or a bill that is paid when it comes."""

    TOP_UP = "top_up"
    BILL_DEBIT = "bill_debit"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the payer agrees to. Amounts in fen; every charge keeps to every cap.

    TOP_UP: `below` triggers, `amount` is charged, notice straight after. BILL_DEBIT: what is due, up to `per_charge`,
    with a notice 24 hours before. `ask_above`: times the same month of last year above which the payer is asked first;
    EVERY_TIME: before each single payment.
    """

    kind: MandateKind
    account: AccountId
    per_charge: Money
    per_month: Money
    valid_until: date
    below: Money | None = None
    amount: Money | None = None
    per_day: int = 1
    ask_above: int | None = None

    def digest(self) -> str:
        """The terms as one value, so that nothing but what was read back can be agreed to."""
        plain = {name: _plain(value) for name, value in asdict(self).items()}
        return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Clauses:
    """Single terms said anew of an agreement that stands; None: as it was."""

    below: Money | None = None
    amount: Money | None = None
    per_charge: Money | None = None
    per_month: Money | None = None
    per_day: int | None = None
    ask_above: int | None = None

    def of(self, standing: Terms) -> Terms:
        """The terms with these clauses in place of its own. A top-up takes its fixed amount, so that is its cap too."""
        said = {name: value for name in _CLAUSES if (value := getattr(self, name)) is not None}
        if self.amount is not None:
            said.setdefault("per_charge", self.amount)
        if said.get("ask_above") == NEVER_ASKED:
            said["ask_above"] = None
        return replace(standing, **said)


_CLAUSES = tuple(Clauses.__dataclass_fields__)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the terms would have done with last year's use: how often, how much, the most in one month, and when not."""

    times: int
    total: Money
    most_in_a_month: int
    capped: int  # low days on which the monthly cap would have stood in the way


@dataclass(frozen=True, slots=True)
class ProposedMandate:
    """Ready to be read back. The yes must be firm (`strength`) and comes from the payer."""

    act: ActId
    digest: str
    strength: Strength
    payer: PersonId
    purse: InstrumentId  # the payer's own, from which every charge will be taken
    terms: Terms
    dry_run: DryRun | None  # None where the biller tells nothing of last year
    expires_at: datetime
    # What is raised counts only from then on; until then what was agreed before does (settled: no quick rise).
    rises_at: datetime | None = None
    raised: frozenset[str] = frozenset()
    until_then: Terms | None = None


@dataclass(frozen=True, slots=True)
class MandateView:
    """An automatic payment as it may be told."""

    id: str
    state: MandateState
    terms: Terms
    biller: BillerId
    utility: Utility
    tail: str
    holder: PersonId | None
    holder_masked: str
    payer: PersonId
    instrument: InstrumentId
    active_at: datetime | None
    reason: str | None
    spent_this_month: Money
    times_this_month: int
    counting: Terms  # what counts now: of what was raised lately, still the lower
    hindered: str | None  # why it could not pay although it is live: "no_permission", "no_purse"


@dataclass(frozen=True, slots=True)
class Charge:
    """Why money was taken by itself: the payment, what triggered it, and the agreement it rests on."""

    payment: PaymentId
    mandate: str
    account: AccountId
    amount: Money
    at: datetime
    payer: PersonId
    terms: Terms
    balance: Money | None  # of the reading that triggered a top-up
    read_at: datetime | None
    agreed_at: datetime
    channel: str  # where it was agreed to
