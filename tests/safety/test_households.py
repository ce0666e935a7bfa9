"""What one household may learn of another: nothing, whichever door is tried."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.serving import pages
from data.ids import AccountId, PersonId
from data.model import May
from data.store.people import accounts
from payments.authority import access, numbers
from payments.quoting import Trouble
from tests.safety.real_town import RealTown
from tests.web.conftest import client_of
from tests.web.forms import be, form, send

NEIGHBOUR = "0319001200354678"  # E-ZHENG, one swap of digits away from the mother's number; 301.10 are due
SECRET_AMOUNT = ("301.10", "301", "三百零一")
# Whose bills each person may see without typing any number.
SEES = {
    "limin": {"E-LI", "W-LI", "G-LI"},
    "lijg": {"E-LI", "W-LI", "G-LI"},
    "wangxy": {"E-LI", "W-LI", "G-LI"},
    "zhanggf": set(),  # nobody saved hers: it is opened by its number and her name, for her too
    "chenm": set(),
    "chengfs": {"E-CHENG", "W-CHENG", "G-CHENG"},
    "xiaozhou": {"E-CHENG", "W-CHENG", "G-CHENG"},
}


def _tells_amount(heard: list[str]) -> bool:
    return any(amount in text for text in heard for amount in SECRET_AMOUNT)


@pytest.mark.parametrize(
    "tricks",
    [
        ("不是",),
        ("多少钱",),
        ("先告诉我多少钱我才知道是不是",),
        ("再说一遍", "你说什么"),
        ("查一下",),
        ("停", "查电费", "刚才那户多少钱", "尾号4678"),
        ("人工", "接着办", "交电费"),
        ("不对，是水费", "不对，是电费"),
    ],
    ids=lambda tricks: tricks[0],
)
async def test_a_typed_number_tells_no_amount_before_the_name_is_confirmed(
    town: RealTown, tricks: tuple[str, ...]
) -> None:
    await town.open("chenm")
    await town.says("chenm", "交电费", NEIGHBOUR)
    assert await town.asks("chenm") == "name_check"
    await town.says("chenm", *tricks)
    heard = [s.text for s in await town.heard_by("chenm")]
    assert not _tells_amount(heard)
    assert await town.captures() == []


async def test_only_the_masked_name_is_told_of_a_typed_number(town: RealTown) -> None:
    await town.open("chenm")
    heard = await town.says("chenm", "交电费", NEIGHBOUR)
    assert "郑*栋" in heard[-1]
    assert "郑国栋" not in "".join(heard)
    # What opens it is his own word, and it is on record.
    await town.says("chenm", "是")
    audit = (await town.facts()).audit or ()
    assert "name_check_passed" in audit


async def test_a_confirmed_name_opens_one_bill_for_one_person_for_a_day(town: RealTown) -> None:
    await town.open("chenm", "limin")
    await town.says("chenm", "查电费", NEIGHBOUR, "是", "停")
    opened = await _id_of(town, NEIGHBOUR)
    assert _may(town, "chenm", May.BILLS, opened)
    assert not _may(town, "chenm", May.USAGE, opened)
    assert not _may(town, "chenm", May.MANDATE, opened)
    assert not _may(town, "chenm", May.BILLS, opened, after=timedelta(hours=25))
    assert not _may(town, "limin", May.BILLS, opened)


def _may(town: RealTown, person: str, verb: May, account: str, after: timedelta = timedelta(0)) -> bool:
    at = town.clock.now() + after
    store, who, what = town.app.store, PersonId(person), AccountId(account)
    return store.run_now(lambda tx: access.may(tx, who, verb, what, at)) is not None


async def _id_of(town: RealTown, number: str) -> str:
    rows = await town.app.store.run(
        lambda tx: [numbers.opened(tx, row) for row in tx.conn.execute(sa.select(accounts))]
    )
    return next(a.id for a in rows if a.number == number)


async def test_every_bill_is_told_to_exactly_those_who_may_see_it(either: RealTown) -> None:
    """All people against all accounts at the room where bills are asked for."""
    town = await either.open(*SEES)
    told: dict[str, set[str]] = {person: set() for person in SEES}
    for account in town.world.accounts:
        for person in SEES:
            answer = await town.app.desk.quoting.quote(PersonId(person), AccountId(str(account)))
            if not isinstance(answer, Trouble) or answer.reason != "access_refused":
                told[person].add(str(account))
    assert told == SEES
    refused = (await town.facts()).audit or ()
    assert list(refused).count("access_refused") == sum(
        len(town.world.accounts) - len(seen) for seen in SEES.values()
    )


async def test_a_helper_sees_no_usage_and_pays_with_nobodys_purse(town: RealTown) -> None:
    await town.open("xiaozhou", "chengfs", channel="console")
    for account in ("E-CHENG", "W-CHENG", "G-CHENG"):
        for verb in (May.USAGE, May.MANDATE, May.CONFIRM_PAYMENT):
            assert not _may(town, "xiaozhou", verb, account)
    for wish in ("程福生用了多少电", "看看程福生家的用电情况", "程福生上个月用了多少度"):
        heard = await town.says("xiaozhou", "停", wish)
        assert not any("度" in text for text in heard)
    await town.says("xiaozhou", "帮程福生交水费", "付", town.pin("xiaozhou"))
    assert await town.captures() == []


async def test_a_helper_learns_nothing_of_an_elder_who_never_agreed(town: RealTown) -> None:
    await town.open("xiaozhou", channel="console")
    for wish in ("帮李建国交水费", "查一下张桂芳的电费", "看看王秀英的燃气费"):
        heard = "".join(await town.says("xiaozhou", "停", wish))
        assert "元" not in heard
        assert "尾号" not in heard
    assert await town.captures() == []


async def test_a_page_shows_one_persons_talk_only(town: RealTown) -> None:
    await town.open("limin", "chenm")
    app = pages(town.app, demo=True, town=town.world)
    async with client_of(app) as hers, client_of(app) as his:
        page = await be(hers, "limin")
        page = (await send(hers, page, "/talk/say", text="交水费")).text
        assert "46.50元" in page
        token = next(value for name, value in form(page, "/talk/press").buttons if name == "token")
        page = await be(his, "chenm")
        for address in ("/talk", "/talk/live", "/talk?person=limin", "/"):
            assert "46.50" not in (await his.get(address)).text
        # Her button on his page, and her name in his form, are worth nothing.
        data = form(page, "/talk/say").hidden
        await his.post("/talk/press", data=data | {"token": token})
        await his.post("/talk/say", data=data | {"text": "付", "person": "limin"})
        assert "46.50" not in (await his.get("/talk")).text
        assert "请输您的付款密码" not in (await hers.get("/talk")).text
    assert await town.asks("limin") == "confirm"
    assert await town.captures() == []


async def test_leaving_the_page_leaves_nothing_for_the_next_person(town: RealTown) -> None:
    await town.open("limin", "chenm")
    async with client_of(pages(town.app, demo=True, town=town.world)) as web:
        page = await be(web, "limin")
        page = (await send(web, page, "/talk/say", text="交水费")).text
        before = form(page, "/talk/say").hidden
        await send(web, page, "/leave")
        assert (await web.get("/talk")).status_code == 303
        page = await be(web, "chenm")
        assert "46.50" not in page
        # The form of the person before is no form of this one.
        assert (await web.post("/talk/say", data=before | {"text": "付"})).status_code == 403
