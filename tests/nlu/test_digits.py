"""Account numbers and codes, digit by digit: leading zeros stay, doubts are marked, quantities are no numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.asking import Ask
from nlu.commands import Doubt
from nlu.digits import Digits, compare, find_number, looks_like_card, parse_digits

SPOKEN = {
    "0": "零〇洞",
    "1": "一幺",
    "2": "二两",
    "3": "三",
    "4": "四",
    "5": "五",
    "6": "六",
    "7": "七拐",
    "8": "八",
    "9": "九勾",
}
ENGLISH = dict(
    zip(
        "0123456789",
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)
numbers = st.text(alphabet="0123456789", min_size=1, max_size=16)


@given(numbers, st.randoms(use_true_random=False))
def test_a_number_read_out_in_any_habit_comes_back_digit_for_digit(number: str, chance) -> None:  # type: ignore[no-untyped-def]
    words = [chance.choice(SPOKEN[digit]) for digit in number]
    for pause in ("", " ", ",", "……嗯"):
        assert parse_digits(pause.join(words)) == Digits(number)
    assert parse_digits("户号是" + "".join(words) + "吧") == Digits(number)
    assert parse_digits(" ".join(ENGLISH[digit] for digit in number), "en") == Digits(number)


@given(numbers)
def test_a_number_typed_in_groups_comes_back(number: str) -> None:
    groups = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert parse_digits(groups) == Digits(number)
    assert parse_digits(groups.replace(" ", "-")) == Digits(number)


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("洞三幺九洞洞幺二", Digits("03190012")),
        ("三个零一二", Digits("00012")),
        ("零三一九两个八", Digits("031988")),
        ("零三一九不对零三二九", Digits("0329", corrected=True)),
        ("尾号六七一二", Digits("6712", tail=True)),
        ("０３１９", Digits("0319")),
        ("零零三十五六七八", Digits("003?5678", (Doubt(3, ("4", "10")),))),
        ("\u202a0319\u202c", Digits("0319")),
    ],
)
def test_ways_of_reading_out(said: str, digits: Digits) -> None:
    assert parse_digits(said) == digits


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("zero three one nine double oh one two", Digits("03190012")),
        ("triple zero five", Digits("0005")),
        ("my account number is 0319 0012", Digits("03190012")),
        ("oh three no wait oh four", Digits("04", corrected=True)),
        ("the last four digits are 6712", Digits("6712", tail=True)),
        ("one fifteen six", Digits("1?6", (Doubt(1, ("15", "50")),))),
    ],
)
def test_ways_of_reading_out_in_english(said: str, digits: Digits) -> None:
    assert parse_digits(said, "en") == digits


@pytest.mark.parametrize("said", ["一千二三四", "三百二", "123.45", "twenty three"])
def test_a_quantity_is_asked_back_and_not_taken_for_digits(said: str) -> None:
    assert parse_digits(said, "en" if said.isascii() else "zh") == Ask("ambiguous")


@pytest.mark.parametrize("said", ["", "交电费", "对", "我不知道户号", "1\u202e2\u202c3", "10²", "①②③④"])
def test_what_holds_no_plain_digits_is_none(said: str) -> None:
    assert parse_digits(said) == Ask("none")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("交电费 3100456721", "3100456721"),
        ("交电费 0319 0012 0034 5678,谢谢", "0319001200345678"),
        ("户号三一零零四五六七二一交电费", "3100456721"),
        ("我手机13812345678,查电费", Ask("none")),
        ("充123.45", Ask("none")),
        ("3100456721还是3100456712", Ask("several")),
    ],
)
def test_the_account_number_inside_a_sentence(said: str, number: str | Ask) -> None:
    assert find_number(said) == number


def test_a_bank_card_is_known_by_length_beginning_and_check_digit() -> None:
    assert looks_like_card("4111111111111111")
    assert looks_like_card("6222021234567890128")
    assert not looks_like_card("4111111111111112")
    assert not looks_like_card("0319001200345678")
    assert not looks_like_card("3100456721")


def test_two_hearings_that_differ_in_one_place_leave_only_that_place_open() -> None:
    assert compare(["0319", "0349"]) == Digits("03?9", (Doubt(2, ("1", "4")),))
    assert compare(["0319", "0319"]) == Digits("0319")
    assert compare(["0319", "1234"]) is None
    assert compare(["0319", "031"]) is None


def test_numbers_stay_out_of_sight() -> None:
    assert "0319" not in repr(parse_digits("0319 0012"))
    heard = parse_digits("零零三十五")
    assert isinstance(heard, Digits)
    assert repr(heard) == "Digits(doubtful=(Doubt(position=3),), corrected=False, tail=False)"


@given(st.text(max_size=60))
def test_any_text_gives_digits_or_a_question(text: str) -> None:
    for locale in ("zh", "en"):
        heard = parse_digits(text, locale)
        assert isinstance(heard, Ask) or set(heard.value) <= set("0123456789?")
