"""A bank card's or identity card's number is refused wherever and however it is given; an honest account number never is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import catalogue
from data.ids import BillerId
from nlu.commands import (
    CannotHandle,
    CorrectSlot,
    Deny,
    Expectation,
    Refuse,
    SetSlot,
    Utterance,
)
from nlu.refusals import belongs_to_a_bank
from nlu.understand import Understanding

CARD, IDENTITY, ACCOUNT_NUMBER = "6222021234567890128", "11010519491231002X", "0319001200345678"
ACCOUNT = Expectation("account", "account", digits=(8, 16), in_flow="pay_bill")
STATES = [
    Expectation(),
    ACCOUNT,
    replace(ACCOUNT, voice=True),
    Expectation("name_check", in_flow="pay_bill"),
    Expectation("amount", "amount", "amount", in_flow="pay_bill"),
    Expectation("confirm", in_flow="pay_bill", amounts=(12345,)),
    Expectation("consent", in_flow="pay_bill"),
    Expectation("code", digits=(4, 6), in_flow="pay_bill"),
    Expectation("choice", "account", choices={"yes": ("1",), "no": ("2",)}, in_flow="pay_bill"),
]
REFUSED = [Refuse("card_number")]


@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.asks))
@pytest.mark.parametrize(
    "said",
    [
        CARD,
        "6222 0212 3456 7890 128",
        "6222-0212-3456-7890-128",
        "6222,0212,3456,7890,128",
        "卡号 4111-1111-1111-1111",
        "4111111111111111",
        "户号是4111111111111111",
        "六二二二零二一二三四五六七八九零一二八",
        "六二二二 零二一二 三四五六 七八九零 一二八",
        IDENTITY,
        "身份证号 110105 19491231 002X",
        "110105194912310021",  # an identity number with its last figure read wrong
        "6222021234567891",  # a card's number cut short
    ],
)
def test_it_is_refused_at_every_question(understanding: Understanding, said: str, state: Expectation) -> None:
    assert understanding.understand(Utterance(said), state) == REFUSED


@pytest.mark.parametrize(
    ("collected", "heard"),
    [
        ("62220212", "34567890128"),
        ("62220212", "三四五六七八九零一二八"),
        ("622202", "1234567890128"),
        ("411111111111", "1111"),
    ],
)
def test_it_is_refused_when_said_in_parts(understanding: Understanding, collected: str, heard: str) -> None:
    waiting = replace(ACCOUNT, collected=collected, voice=True)
    assert understanding.understand(Utterance(heard, voice=True), waiting) == REFUSED
    if heard.isascii():
        assert understanding.understand(Utterance(keys=f"{heard}#"), waiting) == REFUSED


@pytest.mark.parametrize("keys", [CARD, f"{CARD}#", "4111111111111111#", "110105194912310021#"])
def test_it_is_refused_when_keyed(understanding: Understanding, keys: str) -> None:
    assert understanding.understand(Utterance(keys=keys), ACCOUNT) == REFUSED


def test_keyed_in_place_of_a_code_it_is_no_wrong_code(understanding: Understanding) -> None:
    code = Expectation("code", digits=(4, 6), in_flow="pay_bill")
    assert understanding.understand(Utterance(keys="4111111111111111#"), code) == REFUSED


def test_an_account_somebody_has_already_is_what_he_says_it_is(understanding: Understanding) -> None:
    known = replace(ACCOUNT, known_numbers=("4111111111111111",))
    taken = [SetSlot("account", "4111111111111111")]
    assert understanding.understand(Utterance("4111 1111 1111 1111"), known) == taken
    assert understanding.understand(Utterance(keys="4111111111111111#"), known) == taken
    assert understanding.understand(Utterance("4111111111111111"), ACCOUNT) == REFUSED


@pytest.mark.parametrize("said", ["智能卡号是0350000000000056", "户号0319 0012 0034 5678", ACCOUNT_NUMBER])
def test_an_honest_number_is_taken(understanding: Understanding, said: str) -> None:
    (taken,) = understanding.understand(Utterance(said), ACCOUNT)
    assert isinstance(taken, SetSlot)
    assert taken.slot == "account"


FORMS = {biller.id: biller.form for biller in catalogue.load().billers()}


@pytest.mark.parametrize("biller", FORMS)
@given(data=st.data())
def test_no_number_that_a_biller_gives_out_looks_like_a_card(biller: BillerId, data: st.DataObject) -> None:
    """Otherwise somebody's honest number would be refused, again and again."""
    number = data.draw(st.from_regex(FORMS[biller].pattern, fullmatch=True))
    assert not belongs_to_a_bank(number)


# --- 不对 at a read-back ----------------------------------------------------------------------------------------------

CONFIRM = Expectation("confirm", in_flow="pay_bill", amounts=(12345,))
WRONG = [CannotHandle("what_is_wrong")]


@pytest.mark.parametrize(
    ("said", "locale"),
    [
        *(
            (said, "zh")
            for said in (
                "不对", "不是", "错了", "错", "不是的", "不对不对", "不,不对", "不对,错了", "弄错了", "好像不对", "有问题", "不是我家的", "不对啊",
            )
        ),
        *(
            (said, "en")
            for said in (
                "wrong", "that's wrong", "that's not right", "not right", "no, that's wrong", "incorrect", "it's not right", "wrong person", "not me",
            )
        ),
    ],
)  # fmt: skip
def test_wrong_alone_is_asked_about_and_gives_nothing_up(
    understanding: Understanding, said: str, locale: str
) -> None:
    for asks in ("confirm", "code"):
        state = Expectation(asks, in_flow="pay_bill", locale=locale)
        assert understanding.understand(Utterance(said), state) == WRONG
    name = Expectation("name_check", in_flow="pay_bill", locale=locale)
    assert understanding.understand(Utterance(said), name) != WRONG


@pytest.mark.parametrize("said", ["不对", "不是", "错了", "that's not right", "wrong"])
def test_at_the_name_it_is_a_no(understanding: Understanding, said: str) -> None:
    name = Expectation("name_check", in_flow="pay_bill", locale="en" if said.isascii() else "zh")
    assert understanding.understand(Utterance(said), name) == [Deny()]


@pytest.mark.parametrize(
    ("said", "slot"),
    [
        ("金额", "amount"), ("金额不对", "amount"), ("钱", "amount"), ("户号", "account"), ("是户号", "account"), ("号码", "account"),
        ("哪一样费", "utility"), ("the amount", "amount"), ("the account", "account"), ("the kind of bill", "utility"),
    ],
)  # fmt: skip
def test_the_part_that_is_wrong_is_named(understanding: Understanding, said: str, slot: str) -> None:
    locale = "en" if said.isascii() else "zh"
    assert understanding.understand(Utterance(said), replace(CONFIRM, locale=locale)) == [
        CorrectSlot(slot, None)
    ]
