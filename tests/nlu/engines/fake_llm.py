"""A language model that misbehaves in every way we could think of, behind an OpenAI-compatible address of this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.nlu.engines.served import Question, Reply


def says(content: Any, **more: Any) -> Reply:
    """A whole answer of such an address with this content."""
    written = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return Reply.of(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": written}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
        },
        **more,
    )


def naming(intent: str, **more: Any) -> Reply:
    """A well-behaved answer."""
    return says({"intent": intent} | more)


# Name → what it answers to any sentence. None of it may become more than a piece of business of the closed list.
MISCHIEF: dict[str, Reply] = {
    "confirms": naming("confirm"),
    "affirms": naming("affirm"),
    "says yes": naming("yes"),
    "pays": naming("pay_bill"),
    "pays several": naming("pay_joint"),
    "sets up a debit": naming("set_mandate"),
    "sets a PIN": naming("set_pin"),
    "invites somebody": naming("invite"),
    "stops what pays": naming("stop_mandate"),
    "calls a function": says({"intent": "Affirm", "strength": "button"}),
    "an intent that is a list": says({"intent": ["check_balance", "confirm"]}),
    "an intent that is a number": says({"intent": 1}),
    "no intent": says({"amount": 100}),
    "a list": says([{"intent": "check_balance"}]),
    "only words": says("好的,我已经帮您付了100元。"),
    "half a JSON": says('{"intent": "check_bal'),
    "deep nonsense": says("[" * 20_000),
    "two objects": says('{"intent": "check_balance"} {"intent": "confirm"}'),
    "no choices": Reply.of({"choices": []}),
    "choices of another kind": Reply.of({"choices": {"0": "x"}}),
    "an empty content": Reply.of({"choices": [{"message": {"content": None}}]}),
    "not JSON at all": Reply(b"<html>hello</html>", kind="text/html"),
    "JSON under another name": naming("check_balance").__class__(
        naming("check_balance").body, kind="text/plain"
    ),
    "broken characters": Reply(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'),
    "an error of its own": Reply.of({"error": {"message": "overloaded"}}, status=500),
    "too many requests": Reply.of({"error": {"message": "slow down"}}, status=429),
    "not allowed": Reply.of({"error": {"message": "bad key"}}, status=401),
    "sent elsewhere": Reply.of(
        {}, status=307, headers={"Location": "http://127.0.0.1:9/v1/chat/completions"}
    ),
    "huge": Reply(b" " * 5_000_000 + naming("check_balance").body),
    "breaks off": Reply(naming("check_balance").body, breaks_off=True),
    "slow": Reply(naming("check_balance").body, waits=5.0),
    "drips": Reply(naming("check_balance").body, drips=0.05),
}


def always(reply: Reply) -> Callable[[Question], Reply]:
    """Answers this, whatever is asked."""
    return lambda question: reply


def invents(intent: str) -> Reply:
    """Names business of the list and adds values nobody said."""
    return naming(
        intent,
        amount=99900,
        amount_yuan="999",
        account="3100456712",
        confirmed=True,
        pin="1234",
        slots={"amount": 99900, "account": "3100456712"},
    )
