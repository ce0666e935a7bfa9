"""The short code on a receipt: with it anybody can ask whether the book still says what the receipt says.

A code holds the number of the line that wrote the payment off, and the beginning of that line's seal. The seal covers
the line and every line before it, so a code given out once binds the book: even who holds the key cannot change the
line and keep the receipts that people have in their drawers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.ids import BillerId, PaymentId
from data.money import Money
from data.store.engine import Tx
from data.store.payments import ledger as lines
from data.store.payments import payments
from payments import ledger
from payments.ledger import Broken
from payments.opening import till_account

# Crockford's letters: none that is taken for another; what people read wrongly is put right.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011", " -")
_SEAL_LETTERS = 8  # 40 bits: nobody guesses one, and it can still be read aloud
_SEAL_HEX = 10

HOLDS, TAMPERED, UNKNOWN = "holds", "tampered", "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the book says to a code.

    "holds": written off, so much, on that day. "tampered": the line stands no longer as it was sealed; `broken` says
    which. "unknown": no receipt has this code (a slip of the pen, or not ours).
    """

    verdict: str
    payment: PaymentId | None = None
    biller: BillerId | None = None
    amount: Money | None = None
    at: datetime | None = None
    tail: str = ""  # of the account number; the only part of it that a receipt tells
    broken: tuple[Broken, ...] = ()


def code_of(tx: Tx, payment: PaymentId) -> str | None:
    """The check code of a payment that was written off; None for any other."""
    line = tx.conn.execute(
        sa.select(lines.c.seq, lines.c.hash).where(lines.c.id == f"post:{payment}")
    ).one_or_none()
    return None if line is None else _written(line.seq, line.hash)


def check(tx: Tx, code: str) -> Checked:
    """Compares a code with the book. Every line of its payment must stand as it was sealed."""
    read = _read(code)
    if read is None:
        return Checked(UNKNOWN)
    seq, seal = read
    broken = tuple(ledger.verify_line(tx, seq))
    if broken:  # the line before may be the one that was changed
        return Checked(TAMPERED, broken=(*ledger.verify_line(tx, seq - 1), *broken))
    line = tx.conn.execute(sa.select(lines).where(lines.c.seq == seq)).one_or_none()
    if line is None or line.kind != "post" or _seal(line.hash) != seal:
        return Checked(UNKNOWN)
    others = sa.select(lines.c.seq).where(lines.c.payment == line.payment, lines.c.seq != seq)
    broken = tuple(b for other in tx.conn.scalars(others) for b in ledger.verify_line(tx, other))
    if not broken:
        broken = tuple(_against_the_payment(tx, line))
    tail = _tail(tx, line.payment)
    found = (PaymentId(line.payment), _biller_of(line.credit), Money(line.amount_fen), line.at, tail)
    return Checked(TAMPERED if broken else HOLDS, *found, broken)


def _against_the_payment(tx: Tx, line: sa.Row[tuple[object, ...]]) -> list[Broken]:
    """The payment's own row must say the same."""
    row = tx.conn.execute(sa.select(payments).where(payments.c.id == line.payment)).one_or_none()
    same = row is not None and row.amount_fen == line.amount_fen and row.posted_at is not None
    return [] if same else [Broken(line.seq, ledger.CHANGED, line.at)]


def _tail(tx: Tx, payment: str) -> str:
    account = tx.conn.scalar(sa.select(payments.c.account).where(payments.c.id == payment))
    return "" if account is None else till_account(tx, account).tail


def _biller_of(account: str) -> BillerId:
    return BillerId(account.split(":")[1])


# --- the letters ----------------------------------------------------------------------------------------------------


def _written(seq: int, line_hash: str) -> str:
    seal = _seal(line_hash)
    return f"{_in_letters(seq)}-{seal[:4]}-{seal[4:]}"


def _seal(line_hash: str) -> str:
    return _in_letters(int(line_hash[:_SEAL_HEX], 16)).rjust(_SEAL_LETTERS, "0")


def _in_letters(number: int) -> str:
    letters = ""
    while True:
        number, digit = divmod(number, len(_LETTERS))
        letters = _LETTERS[digit] + letters
        if not number:
            return letters


def _read(code: str) -> tuple[int, str] | None:
    """Line number and seal of a code as people write it: small letters, O for 0, without strokes."""
    plain = code.strip().upper().translate(_READ_AS)
    known = plain.isascii() and all(letter in _LETTERS for letter in plain)
    if not known or not _SEAL_LETTERS < len(plain) <= _SEAL_LETTERS + 10:
        return None
    seq = 0
    for letter in plain[:-_SEAL_LETTERS]:
        seq = seq * len(_LETTERS) + _LETTERS.index(letter)
    return seq, plain[-_SEAL_LETTERS:]
