"""Every fault the town knows, against the real till over HTTP: never taken twice, never lied about, always carried to an end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from data.ids import PaymentId
from integrations.sandbox.fault_kinds import CALLBACK_FAULTS, FaultKind
from payments.states import State
from tests.payments.household import LIMIN, W_LI
from tests.sandbox.counter import WATER, Counter, counter
from tests.sandbox.fault_page import PAGE, page
from tests.servers import SandboxHandle

K = FaultKind
# What the till may know straight after one struck request to collect, and that it was collected by then.
STRAIGHT_AFTER = {
    K.NONE: ("paid", True),
    K.TIMEOUT_THEN_PAID_AFTER: ("checking", False),
    K.TIMEOUT_NEVER_PAID: ("checking", False),
    K.SLOW: ("checking", True),
    K.LOST_ANSWER: ("checking", True),
    K.HALF_ANSWER: ("checking", True),
    K.WRONG_LENGTH: ("checking", True),
    K.GARBLED_ANSWER: ("checking", True),
    K.WRONG_ANSWER_SIGNATURE: ("checking", True),
    K.ANOTHER_ORDER: ("checking", True),
    K.UNKNOWN_FIELDS: ("paid", True),
    K.MISSING_FIELDS: ("checking", True),
    K.ERROR_500: ("checking", False),
    K.ERROR_500_AFTER: ("checking", True),
    K.RATE_LIMITED: ("checking", False),
    K.DOWN: ("checking", False),
    K.DECLINED: ("refused", False),
    K.DECLINED_BY_BILLER_MAINTENANCE: ("refused", False),
    K.INSUFFICIENT_FUNDS: ("refused", False),
    K.PENDING: ("checking", False),
}
REFUSED = {K.DECLINED, K.DECLINED_BY_BILLER_MAINTENANCE, K.INSUFFICIENT_FUNDS}


@pytest.fixture
async def quiet(sandbox: SandboxHandle) -> AsyncIterator[Counter]:
    """No callback comes: the till has to find out everything by asking."""
    async with counter(sandbox, told=False) as made:
        yield made


@pytest.fixture
async def told(sandbox: SandboxHandle) -> AsyncIterator[Counter]:
    """Callbacks come in."""
    async with counter(sandbox) as made:
        yield made


def test_no_fault_is_forgotten_here() -> None:
    elsewhere = {K.CONNECTION_REFUSED, K.HEALTH_DOWN, K.MONEY_AFTER_THE_END}
    assert set(STRAIGHT_AFTER) | CALLBACK_FAULTS | elsewhere == set(FaultKind)
    assert set(STATES_AFTER_CALLBACKS) == CALLBACK_FAULTS


def test_the_page_of_faults_is_the_list() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.sandbox.fault_page"


@pytest.mark.parametrize("kind", STRAIGHT_AFTER, ids=lambda k: k.value)
async def test_a_struck_collection_ends_and_takes_once(quiet: Counter, kind: FaultKind) -> None:
    await quiet.control.fault("rail", kind, seconds=90, operation=None if kind is K.DOWN else "charge")
    payment = await quiet.paid()
    told, collected = STRAIGHT_AFTER[kind]
    assert quiet.house.view(payment).told == told
    assert [c.amount_fen for c in (await quiet.judge()).captures] == ([WATER.fen] if collected else [])
    await quiet.control.clear_faults()
    if kind is K.PENDING:
        await quiet.control.capture(quiet.row(payment).number)
    await quiet.settle()
    seen = await quiet.judge(at_rest=True)
    if kind in REFUSED:
        assert (quiet.row(payment).state, seen.captures) == (State.FAILED, ())
    else:
        assert quiet.row(payment).state is State.SETTLED
        assert [c.amount_fen for c in seen.captures] == [WATER.fen]


_AT_THE_BILLER = set(STRAIGHT_AFTER) - {K.NONE, K.PENDING}


@pytest.mark.parametrize("kind", sorted(_AT_THE_BILLER), ids=lambda k: k.value)
async def test_a_struck_write_off_ends_written_off_or_given_back(quiet: Counter, kind: FaultKind) -> None:
    payment = await quiet.house.confirmed(LIMIN, W_LI)
    await quiet.control.fault("biller", kind, seconds=90, operation=None if kind is K.DOWN else "post")
    await quiet.house.runner.advance_now([payment])
    await quiet.judge()
    await quiet.control.clear_faults()
    await quiet.settle()
    seen = await quiet.judge(at_rest=True)
    given_back = kind in (K.DECLINED, K.INSUFFICIENT_FUNDS)
    assert quiet.row(payment).state is (State.REFUNDED if given_back else State.SETTLED)
    assert len(seen.captures) == 1
    assert len(seen.refunds) == given_back
    assert len([p for p in seen.posts if p.state == "settled"]) == (not given_back)


_AT_A_REFUND = sorted(
    {K.TIMEOUT_THEN_PAID_AFTER, K.LOST_ANSWER, K.ANOTHER_ORDER, K.MISSING_FIELDS, K.ERROR_500, K.DOWN}
)


@pytest.mark.parametrize("kind", _AT_A_REFUND, ids=lambda k: k.value)
async def test_a_struck_refund_gives_back_once(quiet: Counter, kind: FaultKind) -> None:
    await quiet.control.fault("biller", "declined", operation="post")
    await quiet.control.fault("rail", K.NONE if kind is K.DOWN else kind, seconds=90, operation="refund")
    payment = await quiet.paid()
    if kind is K.DOWN:
        await quiet.control.fault("rail", kind)
    await quiet.judge()
    await quiet.control.clear_faults()
    await quiet.settle()
    seen = await quiet.judge(at_rest=True)
    assert quiet.row(payment).state is State.REFUNDED
    assert [r.amount_fen for r in seen.refunds] == [WATER.fen]


@pytest.mark.parametrize("kind", ["wrong_answer_signature", "another_order", "missing_fields"])
async def test_a_struck_question_is_asked_again(quiet: Counter, kind: str) -> None:
    await quiet.control.fault("rail", "lost_answer")
    await quiet.control.plan("rail", "status", "none", kind, kind)
    payment = await quiet.paid()
    await quiet.settle()
    await quiet.judge(at_rest=True)
    assert quiet.row(payment).state is State.SETTLED


@pytest.mark.parametrize("kind", ["lost_answer", "another_order", "error_500"])
async def test_a_struck_close_is_asked_again_and_nothing_is_taken_back_on_a_guess(
    quiet: Counter, kind: str
) -> None:
    await quiet.control.fault("rail", "timeout_never_paid")
    await quiet.control.fault("rail", kind, operation="close")
    payment = await quiet.paid()
    quiet.house.stop(LIMIN)
    await quiet.house.runner.due()
    assert quiet.row(payment).state is State.CLOSING
    await quiet.settle()
    seen = await quiet.judge(at_rest=True)
    assert (quiet.row(payment).state, quiet.row(payment).reason) == (State.FAILED, "stopped")
    assert seen.captures == ()


async def test_a_refused_connection_is_tried_again_for_a_moment(quiet: Counter) -> None:
    payment = await quiet.house.confirmed(LIMIN, W_LI)
    await quiet.control.fault("rail", "connection_refused")
    await quiet.house.runner.advance_now([payment])
    assert (quiet.row(payment).state, quiet.row(payment).sent_at) == (State.CONFIRMED, None)
    await quiet.control.clear_faults()
    await quiet.settle()
    await quiet.judge(at_rest=True)
    assert quiet.row(payment).state is State.SETTLED


async def test_where_nobody_listens_the_payment_is_given_up_and_truly_never_sent(quiet: Counter) -> None:
    payment = await quiet.house.confirmed(LIMIN, W_LI)
    await quiet.control.fault("rail", "connection_refused")
    await quiet.house.runner.advance_now([payment])
    await quiet.later(seconds=10)
    await quiet.later(minutes=1)
    await quiet.control.clear_faults()
    seen = await quiet.judge(at_rest=True)
    assert (quiet.row(payment).state, quiet.row(payment).reason) == (State.CANCELLED, "rail_down")
    assert (seen.captures, [c for c in seen.calls if c.operation == "charge"]) == ((), [])


async def test_a_rail_that_says_it_is_not_well_and_works_is_believed_in_what_it_does(quiet: Counter) -> None:
    await quiet.control.fault("rail", "health_down")
    assert not (await quiet.house.rail.health()).up
    payment = await quiet.paid()
    assert quiet.row(payment).state is State.SETTLED
    assert (await quiet.house.billers.health()).up


# --- what the rail tells by itself ----------------------------------------------------------------------------------

# What the till made of each message, by kinds; the payment is settled in every case, by asking if need be. A message
# that overtakes the answer is a hint, one that comes after it is known already.
STATES_AFTER_CALLBACKS = {
    K.NO_CALLBACK: set(),
    K.EARLY_CALLBACK: {"believed"},
    K.DUPLICATE_CALLBACK: {"believed", "duplicate"},
    K.FIFTY_CALLBACKS: {"believed", "duplicate"},
    K.REORDERED_CALLBACKS: {"believed", "conflicting"},
    K.WRONG_SIGNATURE: {"forged"},
    K.FORGED_AMOUNT: {"amount_differs"},
    K.STALE_CALLBACK: {"forged"},
    K.UNKNOWN_ORDER_CALLBACK: {"unknown_order"},
    K.CLOCK_AHEAD: {"forged"},
    K.CLOCK_BEHIND: {"forged"},
}


@pytest.mark.parametrize("kind", STATES_AFTER_CALLBACKS, ids=lambda k: k.value)
async def test_whatever_the_rail_tells_the_money_moves_once(told: Counter, kind: FaultKind) -> None:
    await told.control.fault("rail", kind, seconds=600, operation="charge")
    payment = await told.paid()
    await _callbacks_tried(told, kind)
    made_of_it = {"believed" if verdict in ("hint", "known") else verdict for verdict in told.verdicts}
    assert made_of_it == STATES_AFTER_CALLBACKS[kind]
    assert kind is not K.EARLY_CALLBACK or told.verdicts == ["hint"]
    assert told.row(payment).state is State.SETTLED
    seen = await told.judge(at_rest=True)
    assert [c.amount_fen for c in seen.captures] == [WATER.fen]
    assert told.house.news(told.row(payment).payer) == ["captured", "posted"]


@pytest.mark.parametrize("kind", STATES_AFTER_CALLBACKS, ids=lambda k: k.value)
async def test_whatever_the_rail_tells_of_an_answer_that_was_lost(told: Counter, kind: FaultKind) -> None:
    """The same while the till does not know: a true message hurries it, a false one changes nothing it says."""
    await told.control.fault("rail", "lost_answer")
    await told.control.fault("rail", kind, seconds=600, operation="charge")
    payment = await told.paid()
    await _callbacks_tried(told, kind)
    await told.judge()
    await told.settle()
    seen = await told.judge(at_rest=True)
    assert told.row(payment).state is State.SETTLED
    assert [c.amount_fen for c in seen.captures] == [WATER.fen]
    assert seen.refunds == ()


async def _callbacks_tried(told: Counter, kind: FaultKind) -> None:
    count = {K.NO_CALLBACK: 0, K.REORDERED_CALLBACKS: 4}.get(kind, 1)
    seen = await told.told(count)
    assert len(seen.callbacks) == count


async def test_fifty_at_once_are_one(told: Counter) -> None:
    await told.control.fault("rail", "fifty_callbacks")
    await told.paid()
    await told.told()
    assert len(told.verdicts) == 50
    assert told.verdicts.count("duplicate") == 49


# --- by chance ------------------------------------------------------------------------------------------------------


async def _story(handle: SandboxHandle, seed: int) -> tuple[list[tuple[str, str]], PaymentId]:
    async with counter(handle) as made:
        await made.control.seed_faults(seed, percent=60)
        payment = await made.paid()
        await made.told(0)
        for _ in range(4):
            await made.later(seconds=60)
        await made.judge()
        await made.control.clear_faults()
        await made.settle()
        seen = await made.judge(at_rest=True)
        assert len(seen.captures) <= 1
        assert made.row(payment).state in (State.SETTLED, State.REFUNDED, State.FAILED)
        return [(c.operation, c.outcome) for c in seen.calls], payment


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_chance_brings_the_payment_ends_once(sandbox: SandboxHandle, seed: int) -> None:
    await _story(sandbox, seed)


async def test_the_same_seed_strikes_the_same_calls(sandbox: SandboxHandle) -> None:
    async def struck(seed: int) -> list[str]:
        async with counter(sandbox, told=False) as made:
            await made.control.seed_faults(seed, "error_500", "rate_limited", "error_500_after", percent=50)
            case = made.house.rail
            for _ in range(12):
                await case.status("nobodys")  # type: ignore[arg-type]
            return [c.outcome for c in (await made.control.inspect()).calls]

    first, again, other = await struck(1), await struck(1), await struck(2)
    assert first == again
    assert first != other
    assert set(first) > {"error", "too many"}
