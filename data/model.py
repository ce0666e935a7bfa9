"""The people, accounts and bills of a household, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from data.ids import AccountId, BillerId, InstrumentId, PersonId, QuoteId
from data.money import Money


class Utility(StrEnum):
    """The seven kinds of household bills."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    LANDLINE = "landline"
    BROADBAND = "broadband"
    CABLE_TV = "cable_tv"
    HEATING = "heating"


class Role(StrEnum):
    """What a person is to us, beside being someone's relative."""

    FAMILY = "family"
    HELPER = "helper"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class May(StrEnum):
    """Words of a grant (scenario notation). `bills` is access; `pay` is one's own purse; the confirm words are spending."""

    BILLS = "bills"
    USAGE = "usage"
    PAY = "pay"
    START_PAYMENT = "start_payment"
    CONFIRM_PAYMENT = "confirm_payment"
    MANDATE = "mandate"
    NOTICES = "notices"


class Exactness(StrEnum):
    """Which amounts a biller takes for one bill (the BBPS amount rule)."""

    EXACT = "exact"
    UP_TO = "up_to"  # part payments: any amount from `minimum` to what is due
    RANGE = "range"  # prepaid: minimum..maximum in steps


@dataclass(frozen=True, slots=True)
class AmountRule:
    """What a biller lets one pay."""

    exactness: Exactness
    minimum: Money = Money(1)
    maximum: Money = Money(500_000)
    step: Money = Money(1)


@dataclass(frozen=True, slots=True)
class AccountForm:
    """What an account number of this biller looks like and where it is printed (data, per biller)."""

    name: dict[str, str]  # language -> what the biller calls the number (户号, 客户编号 …)
    pattern: str  # full-match regular expression over digits
    min_digits: int
    max_digits: int
    example: str  # invented
    where: dict[str, str]  # language -> where on the paper bill it stands


@dataclass(frozen=True, slots=True)
class Biller:
    """Somebody who sends household bills and may be paid. Only those of the catalogue can be (L9)."""

    id: BillerId
    name: dict[str, str]
    utility: Utility
    city: str
    form: AccountForm
    rule: AmountRule
    prepaid: bool = False
    can_find_accounts: bool = False  # looks accounts up by the holder's registered telephone number


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill, e.g. the arrears or the late fee, shown apart."""

    kind: str  # "arrears" | "late_fee" | "balance"
    amount: Money
    days: int = 0
    rate: str = ""
    rule_version: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a biller says is payable now; the price quoted is the price paid."""

    id: QuoteId
    biller: BillerId
    holder_masked: str
    due: Money  # ZERO for a prepaid account
    lines: tuple[BillLine, ...]
    rule: AmountRule
    expires_at: datetime
    due_date: date | None = None
    balance: Money | None = None  # prepaid meters
    daily_use: Money | None = None

    @property
    def prepaid(self) -> bool:
        return self.balance is not None

    @property
    def days_left(self) -> int | None:
        """Whole days the balance lasts at the present use, rounded down; None when not known."""
        if self.balance is None or not self.daily_use:
            return None
        return max(self.balance.fen, 0) // self.daily_use.fen


@dataclass(frozen=True, slots=True)
class MonthUse:
    """What an account used in one month, in fen."""

    month: date  # its first day
    used: Money


@dataclass(frozen=True, slots=True)
class Account:
    """A household's account with a biller. The number is sealed at rest and shown by its tail only."""

    id: AccountId
    biller: BillerId
    utility: Utility
    number: str = field(repr=False)
    holder: PersonId | None = None
    holder_masked: str = ""

    @property
    def tail(self) -> str:
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody we talk with."""

    id: PersonId
    name: str
    role: Role = Role.FAMILY
    locale: str = "zh"
    elder: bool = False
    low_sight: bool = False
    smartphone: bool = True
    voice_notes: bool = False  # speaks rather than types, and is answered aloud too


@dataclass(frozen=True, slots=True)
class Instrument:
    """A purse saved at the rail: a token there, a nickname here. Its owner pays with it."""

    id: InstrumentId
    owner: PersonId
    token: str = field(repr=False)


def masked_name(name: str) -> str:
    """李建国 → 李*国; 周慧 → 周* (JR/T 0171-2020 style display mask: first and last character)."""
    if len(name) <= 1:
        return name
    if len(name) == 2:
        return f"{name[0]}*"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def masked_number(number: str) -> str:
    """尾号 digits only: ****3344."""
    return "****" + number[-4:] if len(number) >= 8 else "****"
