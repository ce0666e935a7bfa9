"""The life of a letter to a person as a table: which state may follow which, and why.

    queued ⇄ leased → sent → delivered → read
                    → failed | given_up | superseded | dropped

`sent` is what we did, `delivered` and `read` are for the channel to say. A letter is leased, in a transaction of its own, before
anything leaves; where its carrier dies it may go out once more, never a third time.
"""

from __future__ import annotations

# (from, to, what happened)
TRANSITIONS: frozenset[tuple[str, str, str]] = frozenset(
    {
        ("queued", "leased", "somebody carries it"),
        ("leased", "leased", "its carrier died, and somebody else carries it"),
        ("leased", "queued", "not taken now, tried again later"),
        ("queued", "sent", "taken by the channel"),
        ("leased", "sent", "taken by the channel"),
        ("queued", "delivered", "shown at once"),
        ("leased", "delivered", "shown at once"),
        ("sent", "delivered", "the channel says it was shown"),
        ("sent", "read", "the channel says it was read"),
        ("delivered", "read", "the channel says it was read"),
        ("queued", "failed", "refused for good on this road"),
        ("leased", "failed", "refused for good on this road"),
        ("queued", "given_up", "tried as often as its kind allows"),
        ("leased", "given_up", "tried as often as its kind allows"),
        ("queued", "superseded", "no longer so"),
        ("leased", "superseded", "no longer so"),
        ("queued", "dropped", "the call is over"),
        ("leased", "dropped", "the call is over"),
    }
)
STATES = ("queued", "leased", "sent", "delivered", "read", "failed", "given_up", "superseded", "dropped")
# Nothing follows, or only what the channel still says of it: old ones may be cleared away.
OVER = tuple(state for state in STATES if state not in ("queued", "leased"))
# Nobody will see or hear it.
UNSEEN = ("superseded", "dropped")


def before(state: str) -> tuple[str, ...]:
    """From which states a letter may come into this one."""
    return tuple(sorted(old for old, new, _ in TRANSITIONS if new == state))
