"""What an answer from outside means for a payment: the next state, the book, and who is told, all in one transaction."""

from __future__ import annotations

from typing import assert_never

from payments import collecting, giving_back, writing_off
from payments.asking import Answer, Ask
from payments.hand import Hand, Then
from payments.states import Payment, State


def take(hand: Hand, held: Payment, ask: Ask, answer: Answer) -> Then:
    """Writes an answer down."""
    match ask:
        case Ask.COLLECT | Ask.COLLECT_AGAIN:
            return collecting.sent(hand, held, ask, answer)
        case Ask.QUERY:
            if held.state in (State.FAILED, State.CANCELLED):
                return collecting.after_the_end(hand, held, answer)
            return collecting.asked_rail(hand, held, answer)
        case Ask.CLOSE:
            return collecting.closed(hand, held, answer)
        case Ask.POST | Ask.QUERY_POST | Ask.POST_AGAIN:
            return writing_off.posted(hand, held, ask, answer)
        case Ask.REQUOTE:
            return writing_off.requoted(hand, held, answer)
        case Ask.REFUND | Ask.QUERY_REFUND:
            return giving_back.refunded(hand, held, ask, answer)
        case _:
            assert_never(ask)
