"""Everything that can go wrong in town, each under its name: what a test asks for, and what then happens.

An answer fault strikes one call; a callback fault strikes what the rail tells by itself about that order, and may come
together with an answer fault. `MEANING` is what `docs/sandbox-faults.md` and `GET /control/faults` show.
"""

from __future__ import annotations

from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong, by the words of the acceptance scripts and a few more."""

    NONE = "none"
    # the request or its answer is lost
    TIMEOUT_THEN_PAID_AFTER = "timeout_then_paid_after"
    TIMEOUT_NEVER_PAID = "timeout_never_paid"
    SLOW = "slow"
    LOST_ANSWER = "lost_answer"
    CONNECTION_REFUSED = "connection_refused"
    # an answer comes, and is none
    HALF_ANSWER = "half_answer"
    WRONG_LENGTH = "wrong_length"
    GARBLED_ANSWER = "garbled_answer"
    WRONG_ANSWER_SIGNATURE = "wrong_answer_signature"
    ANOTHER_ORDER = "another_order"
    UNKNOWN_FIELDS = "unknown_fields"
    MISSING_FIELDS = "missing_fields"
    # the counterparty is in trouble
    ERROR_500 = "error_500"
    ERROR_500_AFTER = "error_500_after"
    RATE_LIMITED = "rate_limited"
    DOWN = "down"
    HEALTH_DOWN = "health_down"
    # it answers, and it is a no or not yet
    DECLINED = "declined"
    DECLINED_BY_BILLER_MAINTENANCE = "declined_by_biller_maintenance"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    PENDING = "pending"
    MONEY_AFTER_THE_END = "money_after_the_end"
    # what the rail tells by itself
    NO_CALLBACK = "no_callback"
    EARLY_CALLBACK = "early_callback"
    DUPLICATE_CALLBACK = "duplicate_callback"
    FIFTY_CALLBACKS = "fifty_callbacks"
    REORDERED_CALLBACKS = "reordered_callbacks"
    WRONG_SIGNATURE = "wrong_signature"
    FORGED_AMOUNT = "forged_amount"
    STALE_CALLBACK = "stale_callback"
    UNKNOWN_ORDER_CALLBACK = "unknown_order_callback"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"


K = FaultKind

MEANING: dict[FaultKind, str] = {
    K.NONE: "nothing goes wrong: a place in the order of arranged faults",
    K.TIMEOUT_THEN_PAID_AFTER: "no answer; executed `seconds` later by the town's clock",
    K.TIMEOUT_NEVER_PAID: "no answer, and never executed",
    K.SLOW: "executed at once, answered `seconds` later",
    K.LOST_ANSWER: "executed, and the connection is cut without a word",
    K.CONNECTION_REFUSED: "nobody listens at the town's address until faults are cleared; needs the town's own process",
    K.HALF_ANSWER: "executed, and the connection is cut in the middle of the answer",
    K.WRONG_LENGTH: "executed; the header announces half of the answer as the whole, so the text is cut and HTTP is not",
    K.GARBLED_ANSWER: "executed, answered with a page that is no answer",
    K.WRONG_ANSWER_SIGNATURE: "executed; the answer is signed by somebody else",
    K.ANOTHER_ORDER: "executed; the answer, rightly signed, speaks of another number",
    K.UNKNOWN_FIELDS: "executed; the answer has fields the contract does not know: it counts all the same",
    K.MISSING_FIELDS: "executed; the answer lacks what it has to say",
    K.ERROR_500: "an error, not executed",
    K.ERROR_500_AFTER: "executed, and then an error",
    K.RATE_LIMITED: "too many requests (429), not executed",
    K.DOWN: "everything of this side, or of this account, answers 503 until faults are cleared",
    K.HEALTH_DOWN: "only the question after its health is answered with no",
    K.DECLINED: "a definite no for this number",
    K.DECLINED_BY_BILLER_MAINTENANCE: "a no, because the biller is in maintenance",
    K.INSUFFICIENT_FUNDS: "a no, because the purse holds too little",
    K.PENDING: "accepted, and not finished by itself",
    K.MONEY_AFTER_THE_END: "a rail that breaks its word: declined (or closed), and collected `seconds` later all the same",
    K.NO_CALLBACK: "the rail tells nothing",
    K.EARLY_CALLBACK: "the rail tells before it answers the request",
    K.DUPLICATE_CALLBACK: "each message is delivered twice",
    K.FIFTY_CALLBACKS: "each message is delivered fifty times at once",
    K.REORDERED_CALLBACKS: "of collected money: refunded, paid, pending and failed are told, in this order",
    K.WRONG_SIGNATURE: "the message is signed by somebody else",
    K.FORGED_AMOUNT: "the message, rightly signed, tells another amount",
    K.STALE_CALLBACK: "the message is dated thirty days back",
    K.UNKNOWN_ORDER_CALLBACK: "the message, rightly signed, is about a number nobody has",
    K.CLOCK_AHEAD: "the rail's clock is `seconds` ahead: in the order's instants, its messages and the statement",
    K.CLOCK_BEHIND: "the rail's clock is `seconds` behind",
}

CALLBACK_FAULTS = frozenset(
    {
        K.NO_CALLBACK,
        K.EARLY_CALLBACK,
        K.DUPLICATE_CALLBACK,
        K.FIFTY_CALLBACKS,
        K.REORDERED_CALLBACKS,
        K.WRONG_SIGNATURE,
        K.FORGED_AMOUNT,
        K.STALE_CALLBACK,
        K.UNKNOWN_ORDER_CALLBACK,
        K.CLOCK_AHEAD,
        K.CLOCK_BEHIND,
    }
)
# Faults of a kind that chance may choose: each strikes one call and is over.
BY_CHANCE = (
    K.TIMEOUT_THEN_PAID_AFTER,
    K.TIMEOUT_NEVER_PAID,
    K.LOST_ANSWER,
    K.HALF_ANSWER,
    K.WRONG_LENGTH,
    K.GARBLED_ANSWER,
    K.WRONG_ANSWER_SIGNATURE,
    K.ANOTHER_ORDER,
    K.UNKNOWN_FIELDS,
    K.MISSING_FIELDS,
    K.ERROR_500,
    K.ERROR_500_AFTER,
    K.RATE_LIMITED,
    K.NO_CALLBACK,
    K.EARLY_CALLBACK,
    K.DUPLICATE_CALLBACK,
    K.FIFTY_CALLBACKS,
    K.REORDERED_CALLBACKS,
    K.WRONG_SIGNATURE,
    K.FORGED_AMOUNT,
    K.STALE_CALLBACK,
    K.UNKNOWN_ORDER_CALLBACK,
)
