"""What the program writes about itself names nobody's account and holds no code, even when somebody slips."""

from __future__ import annotations

from bot.logs import mask


def test_long_numbers_are_cut_to_their_tail() -> None:
    line = mask(None, "info", {"event": "paid 0319 0012 0034 5678 at last"})
    assert line["event"] == "paid ***5678 at last"


def test_a_code_leaves_nothing() -> None:
    assert mask(None, "info", {"event": "it was 482915"})["event"] == "it was ***"


def test_words_of_a_talk_are_never_written() -> None:
    line = mask(None, "info", {"event": "turn", "text": "我的密码是4071", "pin": "4071", "token": "b_abc"})
    assert "4071" not in str(line)
    assert "b_abc" not in str(line)
