"""Each key of `then` is compared with what is true; what the world does not know makes the case unsupported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dialogues.testing.moment import Moment
from dialogues.testing.outcome import complaints, differences, money
from dialogues.testing.world import Movement, Sent, Unsupported, WorldFacts

NOW = datetime(2026, 3, 10, 1, tzinfo=UTC)
OLD = Movement("W-LI", 4650, "limin", NOW, "p0", given=True)
NEW = Movement("E-LI", 10000, "limin", NOW, "p1")
FACTS = WorldFacts(
    NOW,
    captures=(OLD, NEW),
    posted=(OLD,),
    refunds=(),
    holds=(),
    state="paid",
    tickets=({"kind": "callback", "person": "lijg", "reason": "silence"},),
    mandates=({"account": "E-LI", "payer": "limin", "below": 2000, "valid_until": "2027-03-10"},),
    grants={"lijg": ({"to": "limin"},), "chengfs": ()},
    prefs={"chengfs": {"large": True}},
    audit=("confirmed", "captured"),
    more={
        "alerts": 1,
        "elders_with_due": ["lijg", "chengfs"],
        "answered": "99.95%",
        "receipts": ({"verifies": True},),
        "watch_paused_until": "2026-03-15",
    },
)
SENT = (
    Sent("lijg", "女儿给您充了100元", NOW),
    Sent("chengfs", "水费已扣31.20元", NOW),
    Sent("limin", "好", NOW),
)


def _complaints(then: dict[str, Any], hung_up: str = "nobody") -> list[str]:
    return complaints(then, Moment("limin", SENT, FACTS, captures_before=1), hung_up)


@pytest.mark.parametrize(
    "then",
    [
        {"captures": [{"account": "E-LI", "fen": 10000}, {"account": "W-LI", "fen": 4650, "payer": "limin"}]},
        {"captures_new": [{"account": "E-LI", "fen": 10000}]},
        {"posted": [{"account": "W-LI", "fen": 4650}], "refunds": [], "holds": [], "state": "paid"},
        {"tickets": [{"kind": "callback", "person": "lijg"}]},
        {"mandates": [{"account": "E-LI", "valid_until": "set"}]},
        {"grants": {"chengfs": [], "lijg": [{"to": "limin"}]}},
        {"prefs": {"chengfs": {"large": True}}},
        {"audit": ["captured"]},
        {"outbox": {"lijg": ["女儿", "充了?100"]}},
        {"outbox_count": {"chengfs": {"已扣": 1, "已退": 0}}},
        {"outbox_count": {"elders_with_due": "all", "each": 1}},
        {"alerts": 1, "answered": ">=99.9%", "watch_paused_until": "2026-03-15"},
        {"receipts": [{"verifies": True, "layout": "large_print"}]},
        {"hung_up_by": "not_bot_before_ticket"},
        {"hung_up_by": "nobody"},
    ],
)
def test_promises_that_hold(then: dict[str, Any]) -> None:
    assert _complaints(then) == []


@pytest.mark.parametrize(
    "then",
    [
        {"captures": [{"account": "E-LI", "fen": 10000}]},
        {"captures": []},
        {"captures_new": []},
        {"captures_new": [{"account": "E-LI", "fen": 10000, "payer": "lijg"}]},
        {"posted": []},
        {"refunds": [{"account": "E-LI", "fen": 1, "payer": "limin"}]},
        {"holds": [{"account": "E-LI", "fen": 1}]},
        {"state": "pending"},
        {"tickets": []},
        {"tickets": [{"kind": "human"}]},
        {"mandates": []},
        {"grants": {"lijg": []}},
        {"prefs": {"chengfs": {"large": False}}},
        {"prefs": {}},
        {"audit": ["refunded"]},
        {"outbox": {"lijg": ["儿子"]}},
        {"outbox": {"zhanggf": ["."]}},
        {"outbox_count": {"chengfs": {"已扣": 2}}},
        {"outbox_count": {"elders_with_due": "all", "each": 2}},
        {"alerts": 2},
        {"answered": ">=99.99%"},
        {"receipts": [{"verifies": False}]},
        {"hung_up_by": "person"},
    ],
)
def test_promises_that_do_not_hold(then: dict[str, Any]) -> None:
    assert _complaints(then)


def test_hanging_up_before_a_ticket_is_seen() -> None:
    assert _complaints({"hung_up_by": "not_bot_before_ticket"}, "bot_before_ticket")


@pytest.mark.parametrize("key", ["captures", "holds", "tickets", "mandates", "audit", "state", "export"])
def test_what_the_world_does_not_know_is_unsupported(key: str) -> None:
    with pytest.raises(Unsupported, match=f"then.{key}"):
        complaints({key: []}, Moment("limin", (), WorldFacts(NOW)), "nobody")


def test_money_of_two_runs_is_compared_whatever_the_order() -> None:
    one = money(Moment("mei", (), WorldFacts(NOW, captures=(OLD, NEW))))
    other = money(Moment("mei", (), WorldFacts(NOW, captures=(NEW, OLD))))
    assert not differences(one, other)
    assert differences(one, money(Moment("mei", (), WorldFacts(NOW, captures=(OLD, NEW, NEW)))))
