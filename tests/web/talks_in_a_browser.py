"""Whole talks as a person has them at the page; the same for the scripted town and for the real house."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.at_the_browser import Person

NUMBER_IN_GROUPS = "0319 0012 0034 5678"
Watch = Callable[[str], None]


def nothing_more(_state: str) -> None:
    """For talks nobody watches."""


def pay_mothers_electricity(person: Person, watch: Watch = nothing_more) -> None:
    """陈明 pays his mother's electricity: number, masked name, amount, yes, code from the other phone, told the truth.

    `watch` is called with the name of every state the page passes through.
    """
    person.opens("/")
    watch("who are you")
    person.chooses("陈明")
    watch("nothing said yet")
    person.says("帮我妈交电费,广州的")
    person.hears("户号|号码")
    watch("asks for the account")
    person.says(NUMBER_IN_GROUPS)
    heard = person.hears(r"张\*")
    assert "123.45" not in heard, "the amount was shown before the name was confirmed"
    watch("asks whose it is")
    person.says("对")
    person.hears(r"123\.45")
    watch("asks for the yes")
    person.says("付")
    code = person.code_on_phone()
    watch("asks for the code")
    person.says(code)
    heard = person.hears("已扣")
    assert "123.45" in heard
    watch("paid")
