"""A prepaid meter uses up what is on it, and never more than that."""

from __future__ import annotations

from data import catalogue
from integrations.sandbox.control_wire import AccountChange
from integrations.sandbox.town import billers, world
from integrations.sandbox.town.moment import Books
from integrations.sandbox.town.tables import open_books
from integrations.sandbox.wire import NumberRequest
from tests.contracts.stage import WORLD


def test_a_meter_uses_up_what_is_on_it() -> None:
    books = Books(open_books("sqlite://"), catalogue.load(), "virtual")
    with books.moment() as moment:
        world.load(books, moment, world.world_request(WORLD))
        world.change_account(moment, "E-LI", AccountChange(used_fen=60))
        world.change_account(moment, "E-LI", AccountChange(used_fen=100))
        assert _balance(moment) == 1_700
        world.change_account(moment, "E-LI", AccountChange(used_fen=5_000))
        assert _balance(moment) == 0


def test_a_bill_uses_nothing_up() -> None:
    books = Books(open_books("sqlite://"), catalogue.load(), "virtual")
    with books.moment() as moment:
        world.load(books, moment, world.world_request(WORLD))
        world.change_account(moment, "W-LI", AccountChange(used_fen=60))
        quote = billers.quote(moment, "bj-water", NumberRequest(number="2200556677"))
        assert (quote.due_fen, quote.balance_fen) == (4_650, None)


def _balance(moment: billers.Moment) -> int | None:
    return billers.quote(moment, "bj-electricity", NumberRequest(number="1100223344")).balance_fen
