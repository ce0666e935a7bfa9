"""Every question of the household's talks under attack: a person and an end from each, and nothing left lying about."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from data.ids import PersonId
from data.store.engine import Tx
from dialogues import staffing
from payments.authority import invitations, looks
from tests.databases import KINDS
from tests.safety.real_town import RealTown, Towns

# Who asks for what, and what is said after it until the question that is meant.
TALKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "joint": ("limin", ("把我爸妈家水电气都交了",)),
    "joint_code": ("limin", ("把我爸妈家水电气都交了", "确认")),
    "joint_add": ("limin", ("把我爸妈家水电气都交了", "电费也充")),
    "mandate_asks": ("limin", ("我爸妈家电费自动充",)),
    "mandate": ("limin", ("我爸妈家电表老没电，低于20块就自动充100，一个月最多300",)),
    "mandate_code": ("limin", ("我爸妈家电表老没电，低于20块就自动充100，一个月最多300", "确认")),
    "invite_who": ("chengfs", ("请人帮我交费",)),
    "invite_may": ("chengfs", ("让我女儿帮我交费",)),
    "join_code": ("chenm", ("我有邀请码",)),
    "helper": ("xiaozhou", ("这周谁要交费", "发提醒")),
}


@pytest.fixture
async def busy(town: RealTown) -> RealTown:
    await town.open("limin", "chengfs", "chenm", "xiaozhou", "lijg")
    return town


async def stack(town: RealTown, person: str) -> list[str]:
    talk = await town.app.store.run(lambda tx: staffing.peek(tx, PersonId(person)))
    return [frame.flow for frame in talk.stack] if talk else []


@pytest.mark.parametrize("name", TALKS)
async def test_an_end_from_every_question(busy: RealTown, name: str) -> None:
    person, lines = TALKS[name]
    await busy.says(person, *lines)
    assert await busy.asks(person) is not None
    heard = await busy.says(person, "停")
    assert heard
    assert await stack(busy, person) == []
    assert await busy.captures() == []
    assert await busy.broken() == []


@pytest.mark.parametrize("name", TALKS)
async def test_a_person_from_every_question(busy: RealTown, name: str) -> None:
    person, lines = TALKS[name]
    await busy.says(person, *lines)
    heard = await busy.says(person, "人工")
    assert any("工作人员" in text for text in heard), heard
    assert await busy.captures() == []


# --- what waits for another person ----------------------------------------------------------------------------------


async def invited(town: RealTown) -> str:
    """An elder invites his daughter; somebody has the code."""
    await town.says("chengfs", "让我女儿帮我交费", "确认", town.pin("chengfs"))
    (code,) = re.findall(r"^\d{6}$", (await town.heard_by("chengfs"))[-1].text, re.MULTILINE)
    return str(code)


async def test_who_gave_a_code_and_says_stop_has_not_linked_anybody_and_the_other_hears_it(
    busy: RealTown,
) -> None:
    """停 at 是您请的人吗: nobody is linked, and who waits for the answer does not wait in vain."""
    code = await invited(busy)
    await busy.says("chenm", f"我有邀请码 {code}", "是")
    assert await busy.asks("chengfs") == "name_check"
    await busy.says("chengfs", "停")
    assert "作废" in (await busy.heard_by("chenm"))[-1].text
    await busy.says("chengfs", "是")
    given = await busy.app.store.run(lambda tx: looks.given_to(tx, PersonId("chenm"), busy.clock.now()))
    assert given == []


async def test_an_invitations_code_stands_in_no_row_and_no_file(busy: RealTown) -> None:
    """It is told to the giver and typed by the taker; at rest it is sealed or a keyed digest."""
    code = await invited(busy)
    assert code not in busy.rows()
    await busy.says("chenm", f"我有邀请码 {code}")
    assert code not in busy.rows()
    assert code.encode() not in busy.database_bytes()


async def test_a_request_taken_back_meanwhile_is_not_met_with_silence(busy: RealTown) -> None:
    """The elder asked for a person, the helper took it back; going on he hears that it is over."""
    await busy.says("chengfs", "你好")
    await busy.says("xiaozhou", "帮程福生交水费")
    assert await busy.asks("chengfs") == "confirm"
    await busy.says("chengfs", "人工")
    await busy.says("xiaozhou", "停")
    assert await busy.says("chengfs", "是") != []
    assert await busy.captures() == []


async def test_a_button_of_an_older_list_pays_nothing(busy: RealTown) -> None:
    """付 of the list with gas in it, after gas was taken off: neither list is paid."""
    await busy.says("limin", "把我爸妈家水电气都交了")
    older = await busy.button("limin", "付")
    await busy.says("limin", "燃气先不交")
    await busy.do(busy.message("limin", token=older))
    await busy.says("limin", busy.pin("limin"))
    assert await busy.captures() == []
    newer = await busy.button("limin", "付")
    await busy.do(busy.message("limin", token=newer))
    await busy.says("limin", busy.pin("limin"))
    assert await busy.captures() == [("W-LI", 4_650)]
    assert await busy.broken() == []


async def test_a_button_of_a_request_that_is_over_pays_nothing(busy: RealTown) -> None:
    await busy.says("chengfs", "你好")
    await busy.says("xiaozhou", "帮程福生交水费")
    agree = await busy.button("chengfs", "同意")
    await busy.says("xiaozhou", "停")
    heard = await busy.do(busy.message("chengfs", token=agree))
    await busy.says("chengfs", busy.pin("chengfs"))
    assert heard
    assert await busy.captures() == []


async def test_five_wrong_codes_are_all_one_may_try(busy: RealTown) -> None:
    """Guessing tells nothing: the sixth try is not even looked at, the right code among them."""
    code = await invited(busy)
    wrong = [f"{(int(code) + n) % 1_000_000:06d}" for n in range(1, 6)]

    def tried(tx: Tx) -> list[object]:
        at, chenm = busy.clock.now(), PersonId("chenm")
        return [invitations.find(tx, chenm, digits, at) for digits in (*wrong, code)]

    found = await busy.app.store.run(tried)
    assert found[-2:] == [invitations.WrongCode(0), invitations.WrongCode(0)]


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_one_yes_from_two_processes_pays_each_bill_of_the_home_once(
    make_town: Towns, kind: str
) -> None:
    """The last word of a joint payment is delivered to two processes at once, and the sweep goes round."""
    town = make_town(kind)
    try:
        await town.open("limin", "lijg")
        other = town.another_process()
        await town.says("limin", "把我爸妈家水电气都交了", "确认")
        pin = town.message("limin", town.pin("limin"))
        await town.at_once((town.app, pin), (other, pin))
        await asyncio.gather(town.app.sweep(), other.sweep())
        await town.settle()
        assert sorted(await town.captures()) == [("G-LI", 8_800), ("W-LI", 4_650)]
        assert await town.broken() == []
    finally:
        await town.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_low_meter_swept_by_two_processes_while_it_is_topped_up_by_hand_is_paid_once(
    make_town: Towns, kind: str
) -> None:
    """The mandate, the sweep of two processes and the payer's own yes at the same moment: one of them pays."""
    town = make_town(kind)
    try:
        await town.open("limin", "lijg")
        other = town.another_process()
        await town.says("limin", "我爸妈家电表老没电，低于20块就自动充100，一个月最多300", "确认")
        await town.says("limin", town.pin("limin"))
        await town.says("limin", "付")  # 这一次要不要先充: the yes that is read back
        await town.later_by(timedelta(minutes=6))
        await town.control.change_account("E-LI", balance_fen=1_500)
        pin = town.message("limin", town.pin("limin"))
        await asyncio.gather(
            town.app.desk.serve(pin), other.sweep(), town.app.sweep(), return_exceptions=False
        )
        await town.settle()
        assert await town.captures() == [("E-LI", 10_000)]
        assert await town.broken() == []
    finally:
        await town.close()
