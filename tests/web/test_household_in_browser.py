"""Two people at two browsers: the daughter has the meter topped up by itself, it burns down, both are told, the elder stops it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.web.at_the_browser import TELEPHONE, Person, judge

pytestmark = pytest.mark.browser


def at_his_own_window(browser: Browser, address: str, name: str) -> Person:
    page = browser.new_context(viewport=TELEPHONE, locale="zh-CN", reduced_motion="reduce").new_page()
    person = Person(page, address)
    person.chooses(name)
    return person


def test_a_meter_is_topped_up_before_two_pairs_of_eyes(browser: Browser, address: str) -> None:
    """All of it within two minutes of the town: 18.60 is on the meter, and a day's use goes in a minute."""
    daughter = at_his_own_window(browser, address, "李敏")
    elder = at_his_own_window(browser, address, "李建国")

    daughter.says("我爸妈家电表老没电,低于18块5就自动充100,一个月最多300")
    heard = daughter.hears(r"低于\s?18\.50元就自动充\s?100")
    assert "12次" in heard
    assert "1200" in heard
    daughter.says("好的")
    daughter.says(daughter.code_on_phone())
    daughter.hears("已设好")
    elder.hears("李敏|女儿")
    judge(daughter.page, "agreed")

    told = daughter.hears("已到账", seconds=120)
    assert "第1次" in told
    elder.hears(r"充了\s*100元")
    judge(elder.page, "the elder is told")

    elder.says("别自动充了")
    elder.hears("已停")
    daughter.hears("自动缴费停了")
    judge(daughter.page, "topped up")
    judge(elder.page, "the elder hears of it")
