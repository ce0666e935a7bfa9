"""Caps of an automatic payment said anew, and figures nobody means: read wholly and surely, or not at all."""

from __future__ import annotations

import pytest

from nlu import mandates


@pytest.mark.parametrize(
    ("said", "locale", "caps"),
    [
        ("一个月最多200就行", "zh", {"per_month": 20_000}),
        ("一个月最多两百块就够了", "zh", {"per_month": 20_000}),
        ("一个月最多２００就行", "zh", {"per_month": 20_000}),
        ("a month at most 200 is enough", "en", {"per_month": 20_000}),
        ("一个月最多0就行", "zh", {}),
        ("一个月最多-5就行", "zh", {}),
        ("一个月最多0.001就行", "zh", {}),
        ("一个月最多1e3就行", "zh", {}),
        ("一个月最多200来块就行", "zh", {}),
        ("低于20充100,一个月最多300就行", "zh", {}),  # that is a new agreement, not a cap
        ("一个月最多交了多少", "zh", {}),
    ],
)
def test_caps_said_anew(said: str, locale: str, caps: dict[str, int]) -> None:
    assert mandates.only_caps(said, locale) == caps


@pytest.mark.parametrize("figure", ["1e3", "0", "-100", "0.001"])
def test_a_figure_nobody_means_is_no_term(figure: str) -> None:
    found = mandates.terms(f"电费低于20自动充{figure}", "zh")
    assert "amount" not in found
    assert "below" not in mandates.terms(f"电费低于{figure}自动充100", "zh")
