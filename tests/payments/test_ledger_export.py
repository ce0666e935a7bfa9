"""The book for other people's eyes: a journal that hledger accepts, a table, and no account number in either."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest

from data.money import Money
from integrations.ports import Reason
from payments import ledger, ledger_export
from tests.payments.household import CHENM, E_LI, E_ZHANG, LIMIN, House

# hledger 1.25 manual, "Journal": directives, then transactions of a date, an optional mark, an optional code in
# parentheses and a description; postings indented, account and amount at least two spaces apart; `;` begins a comment.
_HEAD = re.compile(r"(\d{4}-\d{2}-\d{2}) [*!] \(([^()]*)\) ([^;|]+?)(?:  ; (.*))?")
_POSTING = re.compile(r"    (\S+(?: \S+)*) {2,}([A-Z]{3}) (-?\d+\.\d{2})")
_ACCOUNT = re.compile(r"(assets|liabilities)(:[a-z0-9_-]+)+")


class NotAJournal(AssertionError):
    """A line that hledger would not take."""


@dataclass
class Journal:
    """What a strict reader finds in a journal: it takes what the manual says and nothing else."""

    commodities: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    transactions: list[tuple[date, list[tuple[str, Decimal]]]] = field(default_factory=list)

    def read(self, line: str) -> None:
        if not line or line.startswith(";"):
            return
        if match := re.fullmatch(r"commodity ([A-Z]{3}) 1000\.00", line):
            self.commodities.add(match[1])
        elif line.startswith("account ") and _ACCOUNT.fullmatch(line.removeprefix("account ")):
            self.accounts.add(line.removeprefix("account "))
        elif match := _HEAD.fullmatch(line):
            self._balanced()
            self.transactions.append((date.fromisoformat(match[1]), []))
        elif (match := _POSTING.fullmatch(line)) and self.transactions:
            assert match[2] in self.commodities, f"commodity not declared: {line}"
            assert match[1] in self.accounts, f"account not declared: {line}"
            self.transactions[-1][1].append((match[1], Decimal(match[3])))
        else:
            raise NotAJournal(line)

    def _balanced(self) -> None:
        if self.transactions:
            _, postings = self.transactions[-1]
            assert len(postings) >= 2
            assert sum(amount for _, amount in postings) == 0, self.transactions[-1]

    def balances(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for _, postings in self.transactions:
            for account, amount in postings:
                found[account] = found.get(account, Decimal(0)) + amount
        return found


def read(lines: list[str]) -> Journal:
    journal = Journal()
    for line in lines:
        journal.read(line)
    journal._balanced()
    return journal


async def _lived(house: House) -> None:
    await house.paid(LIMIN, E_LI, Money(5_000))
    house.town.refuses_posting = Reason.NOTHING_DUE
    await house.paid(CHENM, E_ZHANG)


def _journal(house: House) -> list[str]:
    return house.store.run_now(lambda tx: list(ledger_export.hledger(tx)))


async def test_the_journal_is_what_hledger_takes_and_says_what_the_book_says(house: House) -> None:
    await _lived(house)
    lines = _journal(house)
    journal = read(lines)
    assert len(journal.transactions) == 4
    assert {day for day, _ in journal.transactions} == {date(2026, 3, 10)}
    ours = {
        ledger_export.account_name(name): Decimal(amount.fen) / 100
        for name, amount in house.store.run_now(ledger.balances).items()
    }
    assert journal.balances() == ours
    if hledger := shutil.which("hledger"):  # an independent judge, where there is one
        text = "\n".join(lines).encode() + b"\n"
        asked = [hledger, "-f", "-", "check", "--strict"]
        subprocess.run(asked, input=text, check=True, capture_output=True)


async def test_no_account_number_is_written_out(quick: House) -> None:
    await _lived(quick)
    table = quick.store.run_now(lambda tx: list(ledger_export.table(tx)))
    text = "\n".join(_journal(quick) + table)
    for number in ("0319001200345678", "1100223344", "2200556677", "3200456701"):
        assert number not in text
        assert number[-4:] not in re.sub(r"[0-9a-f]{64}|pay_\w+", "", text)


async def test_the_table_holds_every_transfer_with_its_seal(quick: House) -> None:
    await _lived(quick)
    rows = list(csv.DictReader(quick.store.run_now(lambda tx: list(ledger_export.table(tx)))))
    assert [(r["kind"], int(r["amount_fen"])) for r in rows] == [
        ("capture", 5_000),
        ("post", 5_000),
        ("capture", 12_345),
        ("refund", 12_345),
    ]
    assert all(len(r["hash"]) == 64 for r in rows)
    assert rows[0]["at"].endswith("+08:00")


def test_an_empty_book_is_an_empty_journal(quick: House) -> None:
    assert read(_journal(quick)).transactions == []


@pytest.mark.parametrize(
    "spoilt",
    [
        "2026-03-10 * (1) collected\n    assets:a  CNY 1.00\n    assets:b  CNY -0.99",
        "2026-03-10 * (1) collected\n    assets:a CNY 1.00\n    assets:b  CNY -1.00",
        "2026-03-10 * (1) collected\n    assets:a  CNY 1.000\n    assets:b  CNY -1.00",
    ],
)
def test_the_strict_reader_refuses_what_is_no_journal(spoilt: str) -> None:
    head = "commodity CNY 1000.00\naccount assets:a\naccount assets:b\n"
    with pytest.raises(AssertionError):
        read((head + spoilt).splitlines())
