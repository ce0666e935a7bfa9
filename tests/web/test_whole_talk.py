"""The whole payment talk at the real program: `bangjiao demo` in its own process, a real browser in front of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.web.at_the_browser import (
    TELEPHONE,
    KeyboardPerson,
    Person,
    judge,
)
from tests.web.talks_in_a_browser import pay_mothers_electricity

pytestmark = pytest.mark.browser


def test_a_payment_by_talking(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=TELEPHONE, locale="zh-CN", reduced_motion="reduce")
    person = Person(context.new_page(), address)

    def watch(state: str) -> None:
        judge(person.page, state)

    pay_mothers_electricity(person, watch)
    person.says("谢谢")
    context.close()


def test_a_payment_with_the_keyboard_alone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=TELEPHONE, locale="zh-CN", reduced_motion="reduce")
    pay_mothers_electricity(KeyboardPerson(context.new_page(), address))
    context.close()


def test_a_payment_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=TELEPHONE, locale="zh-CN")
    pay_mothers_electricity(Person(context.new_page(), address, scripts=False))
    context.close()
