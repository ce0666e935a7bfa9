"""An operator hears of what lasts too long: once for each cause, with a ticket, and it is over by itself."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.app import Application
from bot.settings import Settings
from data.ids import PersonId
from data.store import journal, letters
from data.store.engine import Tx
from data.store.mandates import sweeps
from data.store.payments import alarms as alarms_table
from data.store.payments import differences, payments
from data.store.post import events, outbox
from integrations.ports import Reason
from payments import alarms, mandates, pausing
from tests.payments.automatic import TOP_UP, agreed, meter
from tests.payments.household import CHENM, E_ZHANG, House
from tests.simulation import town as ways

M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def look(house: House) -> tuple[list[tuple[str, str]], int]:
    """What a look raised, and how many alarms it ended."""
    found = house.store.run_now(lambda tx: alarms.look(tx, house.now))
    return [(c.kind, c.cause) for c in found.raised], found.over


def quiet(house: House) -> None:
    """News and letters of a test are told by nobody; here that is no matter."""

    def settle(tx: object) -> None:
        tx.conn.execute(sa.update(events).values(served_at=house.now))  # type: ignore[attr-defined]
        tx.conn.execute(sa.update(outbox).values(state="sent"))  # type: ignore[attr-defined]

    house.store.run_now(settle)


def open_tickets(house: House) -> list[tuple[str, str]]:
    found = house.store.run_now(letters.tickets_open)
    return [(t.kind, t.reason) for t in found if t.kind == alarms.TICKET]


async def unknown(house: House) -> str:
    house.town.fault = lambda op: ways.ANSWER_LOST if op == "charge" else ways.OK
    house.town.pending_polls = 1000
    return (await house.paid(CHENM, E_ZHANG)).id


async def test_an_unknown_that_lasts_is_called_once_and_is_over_when_it_is_known(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    payment = await unknown(house)
    quiet(house)
    assert look(house) == ([], 0)
    house.clock.at += 11 * M
    with caplog.at_level(logging.ERROR, "bangjiao.alarms"):
        assert look(house) == ([("unknown", payment)], 0)
        assert look(house) == ([], 0)
    assert [r.message.startswith(f"alarm: unknown {payment}") for r in caplog.records] == [True]
    assert open_tickets(house) == [("alarm", "unknown")]
    house.town.pending_polls = 0
    house.town.fault = lambda op: ways.OK
    await house.later(5 * M)
    quiet(house)
    assert look(house) == ([], 1)
    assert open_tickets(house) == []
    assert house.audit().count("alarm_raised") == house.audit().count("alarm_over") == 1
    assert house.store.run_now(journal.verify) == []


async def test_a_payment_that_never_ends_is_called_after_a_day(quick: House) -> None:
    payment = await unknown(quick)
    for _ in range(30):
        await quick.later(H)
    quiet(quick)
    raised, _ = look(quick)
    assert raised == [("not_ended", payment)]


async def test_money_on_its_way_back_for_a_day_is_called(quick: House) -> None:
    quick.town.refuses_posting = Reason.NOT_PAYABLE_ONLINE
    quick.town.fault = lambda op: ways.REQUEST_LOST if op.startswith("refund") else ways.OK
    payment = (await quick.paid(CHENM, E_ZHANG)).id
    await quick.later(25 * H)
    quiet(quick)
    assert look(quick)[0] == [("refund_late", payment)]


def test_a_difference_of_the_statement_is_called_under_its_own_ticket(quick: House) -> None:
    def differ(tx: object) -> None:
        ticket = letters.open_ticket(
            tx,  # type: ignore[arg-type]
            kind="statement_difference",
            person=PersonId("rail"),
            reason="missing",
            summary="one row",
            at=quick.now,
        )
        row = {"id": "dif_1", "party": "rail", "kind": "missing", "day": quick.now.date(), "number": "bj1"}
        tx.put_new(differences, **row, detail="", ticket=ticket, found_at=quick.now)  # type: ignore[attr-defined]

    quick.store.run_now(differ)
    assert look(quick) == ([("difference", "dif_1")], 0)
    assert open_tickets(quick) == []  # it has one already
    quick.store.run_now(
        lambda tx: tx.conn.execute(sa.update(differences).values(closed_at=quick.now, closed_by="zhao"))
    )
    assert look(quick) == ([], 1)
    still = quick.store.run_now(letters.tickets_open)
    assert [t.kind for t in still] == ["statement_difference"]  # whoever opened it closes it


async def test_a_round_over_the_meters_that_does_not_come_is_called(lis: House) -> None:
    assert look(lis) == ([], 0)
    lis.clock.at += D
    assert look(lis)[0] == []  # nobody relies on it yet
    agreed(lis, TOP_UP)
    quiet(lis)
    lis.clock.at += 31 * M
    assert look(lis) == ([("sweep_late", "sweep")], 0)
    await lis.sweep()
    quiet(lis)
    assert look(lis) == ([], 1)
    lis.store.run_now(lambda tx: tx.conn.execute(sa.update(sweeps).values(started_at=lis.now - H)))
    assert look(lis)[0] == [("sweep_late", "sweep")]


async def test_an_automatic_payment_that_fails_again_and_again_is_called(lis: House) -> None:
    mandate = agreed(lis, TOP_UP).id
    lis.town.declines = Reason.INSUFFICIENT_FUNDS
    await meter(lis, 1_500)
    quiet(lis)
    assert look(lis)[0] == []  # once is the payer's business
    await meter(lis, 1_500, after=25 * H)
    quiet(lis)
    assert ("mandate_failing", mandate) in look(lis)[0]
    lis.store.run_now(lambda tx: mandates.note(tx, mandate, failures=0))
    assert look(lis)[1] == 1


async def test_letters_nobody_sends_and_news_nobody_tells_are_called(quick: House) -> None:
    await quick.paid(CHENM, E_ZHANG)
    later = quick.now + 3 * H  # news for the morning are not late
    quick.store.run_now(lambda tx: tx.conn.execute(sa.update(events).values(not_before=later)))
    quick.store.run_now(
        lambda tx: letters.put_letter(tx, person=CHENM, channel="web", body="{}", cause="c", at=quick.now)
    )
    assert look(quick) == ([], 0)
    quick.clock.at += H
    assert look(quick) == ([("outbox_stuck", "outbox")], 0)
    quick.clock.at += 3 * H
    assert look(quick) == ([("outbox_stuck", "news")], 0)
    quiet(quick)
    assert look(quick) == ([], 2)


def test_a_channel_that_takes_nothing_is_called_though_no_letter_of_it_is_late(quick: House) -> None:
    def tried(tx: Tx) -> None:
        [letter] = letters.lease_letters(tx, channel=None, person=None, at=quick.now, lease=M)
        letters.mark_later(tx, letter, quick.now + 2 * M)

    quick.store.run_now(
        lambda tx: letters.put_letter(tx, person=CHENM, channel="sms", body="{}", cause="c", at=quick.now)
    )
    quick.store.run_now(tried)
    quick.clock.at += 11 * M
    assert look(quick) == ([], 0), "once is bad luck"
    quick.store.run_now(tried)
    assert look(quick) == ([("road_down", "sms")], 0)
    quiet(quick)
    assert look(quick) == ([], 1)


def test_a_rail_that_stays_down_and_a_forgotten_pause_are_called(quick: House) -> None:
    quick.store.run_now(lambda tx: pausing.noticed_down(tx, "sandbox", quick.now))
    quick.store.run_now(
        lambda tx: pausing.pause(tx, scope="all", subject="", reason="x", by="zhao", at=quick.now)
    )
    quick.clock.at += 6 * M
    assert [kind for kind, _ in look(quick)[0]] == ["rail_down"]
    quick.clock.at += 13 * H
    assert [kind for kind, _ in look(quick)[0]] == ["paused_long"]
    quick.store.run_now(lambda tx: pausing.noticed_up(tx, "sandbox", quick.now))
    quick.store.run_now(lambda tx: pausing.resume(tx, by="zhao", at=quick.now))
    assert look(quick) == ([], 2)


async def test_a_list_that_was_cut_ends_no_alarm(quick: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands at once are told by the first of them; what is not on the list is not over."""
    payment = await unknown(quick)
    quiet(quick)
    quick.clock.at += 11 * M
    assert look(quick)[0] == [("unknown", payment)]
    row = quick.store.run_now(lambda tx: tx.conn.execute(sa.select(payments)).one())
    other = {**row._mapping, "id": "pay_0", "number": "bj0", "line": 7, "account": "E-LI"}
    other["sent_at"] = row.sent_at - H
    quick.store.run_now(lambda tx: tx.put_new(payments, **other))
    monkeypatch.setattr(alarms, "_MOST", 1)
    assert look(quick) == ([("unknown", "pay_0")], 0)
    still = sa.select(sa.func.count()).select_from(alarms_table).where(alarms_table.c.over_at.is_(None))
    assert quick.store.run_now(lambda tx: tx.conn.scalar(still)) == 2


async def test_a_file_nobody_can_read_does_not_silence_the_alarms(lis: House) -> None:
    class Unread:
        async def look(self) -> int:
            return 0

        async def due(self) -> list[object]:
            raise ValueError("a row that is none")

    application = object.__new__(Application)
    application.settings, application.store, application.clock = Settings(), lis.store, lis.clock
    application.rail_watch, application.books = Unread(), Unread()  # type: ignore[assignment]
    quiet(lis)
    paused = {"scope": pausing.ALL, "subject": "", "reason": "?", "by": "zhao"}
    lis.store.run_now(lambda tx: pausing.pause(tx, **paused, at=lis.now))
    lis.clock.at += 13 * H
    with pytest.raises(ValueError, match="a row that is none"):
        await application.look_after()
    assert ("alarm", "paused_long") in open_tickets(lis)
