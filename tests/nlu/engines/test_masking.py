"""What leaves the house of a sentence: no number, no name, no address of anybody, and enough words to be understood."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.engines.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("帮程福生看看他那个电咋回事", "帮某人看看他那个电咋回事"),
        ("我叫王小明,想问问", "我叫某人,想问问"),
        ("程老伯家的灯不亮", "某人家的灯不亮"),
        ("户号3100456712的那家", "户号#的那家"),
        ("户号三一零零四五六七一二的那家", "户号#的那家"),
        ("洞三幺九 洞洞幺二", "#"),
        ("充一百块够不够", "充一百块够不够"),
        ("看一下一共几样", "看一下一共几样"),
        ("写信到a.b@example.org", "写信到(link)"),
        ("打开https://example.org/x?k=1 看", "打开(link) 看"),
        ("马上就要,方便的话", "马上就要,方便的话"),
        ("验证码 48 29 13", "验证码 #"),
    ],
)
def test_chinese(text: str, shown: str) -> None:
    assert masked(text, "zh") == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my name is xu lan and i wonder", "my name is somebody and i wonder"),
        ("something for mr cheng at number 12", "something for somebody at number #"),
        ("account oh three one nine", "account #"),
        ("one thing for my mother", "one thing for my mother"),
    ],
)
def test_english(text: str, shown: str) -> None:
    assert masked(text, "en") == shown


@settings(deadline=None)
@given(
    st.text(alphabet="0123456789 零一二三四五六七八九幺洞的电费-.,帮a", max_size=40),
    st.sampled_from(["zh", "en"]),
)
def test_no_run_of_digits_is_left(text: str, locale: str) -> None:
    assert not re.search("[0-9]", masked(text, locale))
