"""PINs and codes under attack: guessed, worn out, taken from another act or another person, read over the shoulder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.talks import history
from data.ids import PersonId
from dialogues import staffing
from tests.safety.real_town import RealTown

# PINs of the town: limin 4071, chengfs 3628.
WRONG = ("1593", "7024", "8461")


async def _blocked(town: RealTown) -> None:
    await town.says("chengfs", "交水费", "付", *WRONG)


async def _last(town: RealTown, person: str) -> str:
    return (await town.heard_by(person))[-1].response


async def test_three_wrong_pins_block_and_a_person_is_still_reached(town: RealTown) -> None:
    await town.open("chengfs")
    await _blocked(town)
    said = [s.response for s in await town.heard_by("chengfs")]
    assert said.count("utter_code_wrong") == 2
    assert "utter_code_blocked" in said
    # The right one, and a fresh code from the other phone, open nothing now.
    for digits in (town.pin("chengfs"), await town.code("chengfs")):
        heard = await town.says("chengfs", "交水费", "付", digits)
        assert any("锁上" in text for text in heard)
    assert await town.captures() == []
    heard = await town.says("chengfs", "人工")
    assert any("工作人员" in text for text in heard)
    assert [t["person"] for t in (await town.facts()).tickets or ()] == ["chengfs"]
    assert "second_factor_failed" in ((await town.facts()).audit or ())


async def test_what_a_block_does_not_stop(town: RealTown) -> None:
    """Looking, asking and stopping need no PIN, and other people are not blocked."""
    await town.open("chengfs", "limin")
    await _blocked(town)
    assert "31.20元" in "".join(await town.says("chengfs", "查水费"))
    assert "停了" in "".join(await town.says("chengfs", "停"))
    await town.says("limin", "交水费", "付", town.pin("limin"))
    assert await town.captures() == [("W-LI", 4_650)]


async def test_a_block_ends_after_a_day_and_not_before(town: RealTown) -> None:
    await town.open("chengfs")
    await _blocked(town)
    await town.later_by(timedelta(hours=23, minutes=59))
    await town.says("chengfs", "交水费", "付", town.pin("chengfs"))
    assert await town.captures() == []
    await town.later_by(timedelta(minutes=2))
    await town.says("chengfs", "停", "交水费", "付", town.pin("chengfs"))
    assert await town.captures() == [("W-CHENG", 3_120)]


async def test_guesses_at_once_in_two_processes_count_each(either: RealTown) -> None:
    town = await either.open("chengfs")
    other = town.another_process()
    await town.says("chengfs", "交水费", "付")
    guesses = [
        (p, town.message("chengfs", pin)) for p, pin in zip((town.app, other, town.app), WRONG, strict=True)
    ]
    await town.at_once(*guesses)
    await town.says("chengfs", "停", "交水费", "付", town.pin("chengfs"))
    assert await town.captures() == []


async def test_a_code_for_one_act_confirms_no_other(either: RealTown) -> None:
    town = await either.open("limin")
    await town.says("limin", "交水费", "付")
    of_the_water = await town.code("limin")
    await town.says("limin", "停", "交燃气费", "付")
    await town.says("limin", of_the_water)
    assert await _last(town, "limin") == "utter_code_wrong"
    assert await town.captures() == []


async def test_a_code_for_one_amount_confirms_no_other(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "给我爸妈家电费充五十", "充")
    of_fifty = await town.code("limin")
    await town.says("limin", "不对，充五百", "充", of_fifty)
    assert await _last(town, "limin") == "utter_code_wrong"
    assert await town.captures() == []


async def test_a_code_is_worth_nothing_a_second_time(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费", "付")
    used = await town.code("limin")
    await town.says("limin", used, "交燃气费", "付", used)
    assert await town.captures() == [("W-LI", 4_650)]


async def test_a_code_is_worth_nothing_after_ten_minutes(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "交水费", "付")
    old = await town.code("limin")
    await town.later_by(timedelta(minutes=10, seconds=1))
    await town.says("limin", old)
    assert await town.captures() == []
    heard = [s.response for s in await town.heard_by("limin")]
    assert "utter_code_expired" in heard or "utter_price_again" in heard


async def test_a_code_of_somebody_else_is_worth_nothing(town: RealTown) -> None:
    await town.open("limin", "chengfs")
    await town.says("chengfs", "交水费", "付")
    await town.says("limin", "交水费", "付", await town.code("chengfs"))
    assert await town.captures() == []
    await town.says("limin", town.pin("chengfs"))
    assert await town.captures() == []


async def test_a_code_for_setting_a_pin_pays_nothing_and_the_other_way_round(town: RealTown) -> None:
    await town.open("limin")
    await town.says("limin", "我要设密码")
    for_the_pin = await town.code("limin")
    await town.says("limin", "停", "交水费", "付", for_the_pin)
    assert await _last(town, "limin") == "utter_code_wrong"
    for_the_water = await town.code("limin")
    await town.says("limin", "停", "我要设密码", for_the_water)
    assert await _last(town, "limin") != "utter_ask_new_pin"
    assert await town.captures() == []


async def test_the_old_pin_does_not_set_a_new_one(town: RealTown) -> None:
    """Who has only seen the PIN cannot change it: that takes the other phone."""
    await town.open("limin")
    await town.says("limin", "我要设密码", town.pin("limin"))
    assert await _last(town, "limin") != "utter_ask_new_pin"


@pytest.mark.parametrize(
    "words",
    [
        "4071",
        "４０７１",
        "4 0 7 1",
        "四零七一",
        "嗯 4071",
        "付，4071",
        "付 四零七一",
        "我的密码是4071",
        "密码四零七一",
    ],
)
async def test_a_pin_in_a_chat_is_masked_wherever_the_talk_is_shown(town: RealTown, words: str) -> None:
    await town.open("limin")
    await town.says("limin", "交水费", words, words)
    who = PersonId("limin")
    page = await town.app.store.run(lambda tx: history(tx, who))
    mirror = await town.app.store.run(lambda tx: staffing.mirror(tx, who))
    shown = "\n".join([*(e.text for e in page), *(line.text for line in mirror)])
    for form in ("4071", "４０７１", "4 0 7 1", "四零七一"):
        assert form not in shown
    assert len([e for e in page if e.speaker == "me"]) == 3  # masked, not left out
