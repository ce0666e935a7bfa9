"""Asking billers for people: the name before the amount, and the amount only to who may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from data.ids import BillerId
from data.model import AmountRule, BillLine, Exactness
from data.money import Money
from integrations.ports import NotSent, OutcomeUnknown, Reason, Refused
from payments.quoting import (
    HolderFound,
    Quoted,
    Trouble,
    amount_fits,
    body_of,
    end_quotes,
    keep,
    kept_quote,
    quote_of,
)
from tests.payments.household import CHENGFS, CHENM, E_LI, E_ZHANG, LIMIN, W_CHENG, XIAOZHOU, House

GZ = BillerId("gz-electricity")


async def test_a_typed_number_tells_the_masked_name_and_no_amount(quick: House) -> None:
    found = await quick.quoting.holder(CHENGFS, GZ, "0319001200345678")
    assert isinstance(found, HolderFound)
    assert found.holder_masked == "张*芳"
    assert not any(isinstance(v, Money) for v in (found.biller, found.utility, found.holder_masked))


async def test_without_access_there_is_no_amount_and_a_line_in_the_audit(house: House) -> None:
    assert await house.quoting.quote(LIMIN, E_ZHANG) == Trouble("access_refused")
    assert house.audit()[-1] == "access_refused"


async def test_a_helper_with_a_grant_sees_the_bill_and_it_is_written_down(quick: House) -> None:
    quoted = await quick.quoting.quote(XIAOZHOU, W_CHENG)
    assert isinstance(quoted, Quoted)
    assert quoted.quote.due == Money(3_120)
    assert quick.audit()[-1] == "data_read"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Refused(Reason.ACCOUNT_NOT_FOUND), "account_not_found"),
        (NotSent(Reason.NOT_SENT), "not_sent"),
        (OutcomeUnknown(Reason.BILLER_DOWN), "biller_down"),
    ],
)
async def test_a_biller_in_trouble_is_told_by_its_reason(quick: House, error, told: str, monkeypatch) -> None:
    async def fail(*_args):
        raise error

    for name in ("holder", "query", "find_accounts"):
        monkeypatch.setattr(quick.billers, name, fail)
    assert await quick.quoting.quote(CHENM, E_ZHANG) == Trouble(told)
    assert await quick.quoting.holder(CHENM, GZ, "1") == Trouble(told)
    assert await quick.quoting.find(CHENM, BillerId("bj-electricity"), "1") == Trouble(told)


async def test_nobody_outside_the_catalogue_is_asked(quick: House) -> None:
    refused = Trouble("biller_not_in_catalogue")
    assert await quick.quoting.holder(CHENM, BillerId("a-person"), "1") == refused
    assert await quick.quoting.find(CHENM, BillerId("a-person"), "1") == refused


async def test_a_look_up_by_telephone_only_where_the_biller_has_one(quick: House) -> None:
    assert isinstance(await quick.quoting.find(LIMIN, BillerId("bj-electricity"), "01055501111"), list)
    assert await quick.quoting.find(LIMIN, BillerId("bj-heating"), "01055501111") == Trouble(Reason.CONFIG)


async def test_a_quote_is_kept_as_it_was_told(house: House) -> None:
    quoted = await house.quote(LIMIN, E_LI)
    kept = house.store.run_now(lambda tx: kept_quote(tx, quoted.quote.id))
    assert kept.quote == quoted.quote
    assert kept.account == E_LI


async def test_a_quote_overtaken_by_a_payment_is_not_offered(quick: House) -> None:
    asked_at = quick.now
    quoted = await quick.quote(CHENM, E_ZHANG)
    quick.town.pass_time(timedelta(seconds=1))
    await quick.paid(CHENM, E_ZHANG)
    fresh = replace(quoted.quote, id="q-late")
    kept = quick.store.run_now(lambda tx: keep(tx, CHENM, E_ZHANG, fresh, asked_at, quick.now))
    assert kept is False


async def test_the_number_of_another_accounts_quote_is_never_taken_over(quick: House) -> None:
    quoted = await quick.quote(CHENM, E_ZHANG)
    same = quick.store.run_now(lambda tx: keep(tx, LIMIN, E_LI, quoted.quote, quick.now, quick.now))
    assert same is False
    again = quick.store.run_now(lambda tx: keep(tx, CHENM, E_ZHANG, quoted.quote, quick.now, quick.now))
    assert again is True


async def test_a_quote_can_be_ended(quick: House) -> None:
    quoted = await quick.quote(CHENM, E_ZHANG)
    quick.store.run_now(lambda tx: end_quotes(tx, E_ZHANG, quick.now))
    kept = quick.store.run_now(lambda tx: kept_quote(tx, quoted.quote.id))
    assert kept.expires_at == quick.now


async def test_every_part_of_a_quote_survives_being_written(quick: House) -> None:
    plain = (await quick.quote(LIMIN, E_LI)).quote
    full = replace(
        plain,
        due=Money(12_592),
        lines=(BillLine("arrears", Money(12_345)), BillLine("late_fee", Money(247), 20, "0.1%", "v1")),
        due_date=quick.now.date(),
        balance=None,
        daily_use=Money(320),
    )
    for quote in (plain, full):
        assert quote_of(body_of(quote), quote.id, quote.biller, quote.expires_at) == quote


@pytest.mark.parametrize(
    ("exactness", "fen", "fits"),
    [
        (Exactness.EXACT, 3_120, True),
        (Exactness.EXACT, 3_119, False),
        (Exactness.UP_TO, 2_000, True),
        (Exactness.UP_TO, 3_120, True),
        (Exactness.UP_TO, 3_121, False),
        (Exactness.UP_TO, 99, False),
        (Exactness.RANGE, 2_000, True),
        (Exactness.RANGE, 2_050, False),
        (Exactness.RANGE, 6_000, False),
    ],
)
async def test_the_billers_rule_decides_the_amount(
    quick: House, exactness: Exactness, fen: int, fits: bool
) -> None:
    rule = AmountRule(exactness, Money(100), Money(5_000), Money(100))
    quote = replace((await quick.quote(CHENGFS, W_CHENG)).quote, rule=rule)
    assert amount_fits(Money(fen), quote) is fits
