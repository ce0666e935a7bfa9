"""An act that waits for another person's yes: the owner of the purse, or a relative who must agree to a first payment.

Who starts is not who agrees (L7). The act keeps the digest of what was proposed; whoever must agree takes over that very
digest on his own channel, says yes with his own PIN or code, once, and before it expires. Either side ends it with one word.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import ActId, PersonId
from data.model import May
from data.store import journal, letters
from data.store.engine import Tx
from data.store.payments import acts
from payments.acts import ActView, NoSuchAct, Proposed, Refusal, Strength, digest_of, view
from payments.authority import access
from payments.purse import relation_of
from payments.states import ActState, move_act

ASKED, GIVEN, REFUSED, WITHDRAWN, EXPIRED = (
    "approval_asked",
    "approval_given",
    "approval_refused",
    "approval_withdrawn",
    "approval_expired",
)
KINDS = frozenset({ASKED, GIVEN, REFUSED, WITHDRAWN, EXPIRED})


def approvers(tx: Tx, payer: PersonId, at: datetime) -> tuple[PersonId, ...]:
    """Who may agree to an unusual payment of this person: those he lets pay for him, at this moment (settled 5)."""
    given = access.grants_by(tx, payer, at)
    return tuple(dict.fromkeys(g.taker for g in given if g.verb is May.PAY and g.valid))


def deciders(tx: Tx, found: ActView, at: datetime) -> tuple[PersonId, ...]:
    """Whose yes a waiting act needs next: its confirmer's, then, where the family must agree, a relative's."""
    first_yes_given = found.strength is Strength.APPROVAL and found.evidence is not None
    if not first_yes_given:
        return (found.confirmer,)
    return second_deciders(tx, found, at)


def second_deciders(tx: Tx, found: ActView, at: datetime) -> tuple[PersonId, ...]:
    """Who gives the second yes: the owner of a purse that was lent, else a relative of the payer; never who began it."""
    if found.payer != found.confirmer:
        return (found.payer,)
    return tuple(p for p in approvers(tx, found.payer, at) if p != found.proposer)


def ask_another(
    tx: Tx, act: ActId, at: datetime, evidence: dict[str, Any] | None = None
) -> tuple[PersonId, ...]:
    """The act waits for another's yes, who is told of it; gives whom. Nobody: there is none, and nothing was changed.

    `evidence` is the first yes of an act that needs a relative's as well.
    """
    found = replace(view(tx, act, hold=True), evidence=evidence)
    others = deciders(tx, found, at)
    if not others:
        return ()
    if found.state is ActState.PROPOSED:
        move_act(tx, act, ActState.PROPOSED, ActState.APPROVAL_WAIT, at)
    tx.conn.execute(sa.update(acts).where(acts.c.id == act).values(evidence=evidence))
    _withdraw_older(tx, found, at)
    for person in others:
        tell(tx, ASKED, found, person, at)
    return others


def _withdraw_older(tx: Tx, found: ActView, at: datetime) -> None:
    """Asked twice for the same bill, one is asked once: the older request is void, and nobody need hear of it."""
    for older in waits_for(tx, found.proposer, at):
        same = {line.account for line in older.lines} & {line.account for line in found.lines}
        if older.id != found.id and same:
            move_act(tx, older.id, ActState.APPROVAL_WAIT, ActState.CANCELLED, at)


def ask_again(tx: Tx, act: ActId, at: datetime, channel: str) -> bool:
    """Asks the owner once more, on this channel: somebody wished that he be called. False when nothing waits any more."""
    found = view(tx, act)
    if found.state is not ActState.APPROVAL_WAIT or found.expires_at <= at:
        return False
    for person in deciders(tx, found, at):
        tell(tx, ASKED, found, person, at, channel=channel)
    return True


def taken_over(tx: Tx, act: ActId, by: PersonId, at: datetime) -> Proposed | Refusal:
    """What waits for this person's yes, to be read back to him exactly as it was proposed."""
    try:
        found = view(tx, act)
    except NoSuchAct:
        return Refusal("no_such_act")
    if found.state is not ActState.APPROVAL_WAIT:
        return Refusal(f"act_{found.state.value}")
    if by not in deciders(tx, found, at):
        return Refusal("no_permission")
    if found.expires_at <= at:
        expire(tx, found, at)
        return Refusal("act_expired")
    assert digest_of(found.proposer, found.payer, found.confirmer, found.lines) == found.digest, (
        "a changed act"
    )
    return Proposed(
        act=found.id,
        digest=found.digest,
        strength=Strength.CODE,
        payer=found.payer,
        confirmer=by,
        instrument=found.lines[0].instrument,
        method=found.lines[0].method,
        lines=found.lines,
        total=found.total,
        questions=(),
        payer_relation=relation_of(tx, by, found.payer),
        expires_at=found.expires_at,
    )


def waits_for(tx: Tx, person: PersonId, at: datetime) -> list[ActView]:
    """Acts this person started and that wait for another's yes, the newest first."""
    mine = sa.select(acts.c.id).where(
        acts.c.proposer == person, acts.c.state == ActState.APPROVAL_WAIT.value, acts.c.expires_at > at
    )
    newest_first = mine.order_by(acts.c.created_at.desc(), acts.c.id)
    return [view(tx, ActId(a)) for a in tx.conn.scalars(newest_first)]


# --- how it ends without a yes ------------------------------------------------------------------------------------


def called_off(tx: Tx, found: ActView, by: PersonId, at: datetime) -> None:
    """A waiting act was cancelled: who was asked said no, or who started it took it back; the other side hears of it."""
    others = {found.proposer, *deciders(tx, found, at)} - {by}
    refused = by != found.proposer
    if refused:
        journal.record(tx, kind="elder_refused", person=found.payer, actor=by, subject=found.id, at=at)
    for person in sorted(others):
        tell(tx, REFUSED if refused else WITHDRAWN, found, person, at)


def expire(tx: Tx, found: ActView, at: datetime) -> bool:
    """Nobody answered in time. False when it was decided meanwhile."""
    if not move_act(tx, found.id, ActState.APPROVAL_WAIT, ActState.EXPIRED, at):
        return False
    tell(tx, EXPIRED, found, found.proposer, at)
    return True


def expire_due(tx: Tx, at: datetime) -> int:
    """Ends every waiting act whose time is over; gives how many."""
    late = sa.select(acts.c.id).where(acts.c.state == ActState.APPROVAL_WAIT.value, acts.c.expires_at <= at)
    return sum(expire(tx, view(tx, ActId(a)), at) for a in tx.conn.scalars(late).all())


def call_off_between(tx: Tx, owner: PersonId, other: PersonId, at: datetime) -> int:
    """A permission was taken back: what `other` started with the owner's money, or was to agree to, ends with it."""
    open_states = [ActState.PROPOSED.value, ActState.APPROVAL_WAIT.value]
    theirs = sa.select(acts.c.id).where(
        acts.c.proposer == other, acts.c.payer == owner, acts.c.state.in_(open_states)
    )
    ended = [ActId(a) for a in tx.conn.scalars(theirs).all()]
    both = (ActState.PROPOSED, ActState.APPROVAL_WAIT)
    return sum(any(move_act(tx, act, state, ActState.CANCELLED, at) for state in both) for act in ended)


def tell(
    tx: Tx, kind: str, found: ActView, person: PersonId, at: datetime, *, channel: str | None = None
) -> None:
    """One row of news about a waiting act, once for each person, kind and channel."""
    letters.put_news(
        tx,
        id=f"{kind}:{found.id}:{person}:{channel or ''}",
        person=person,
        kind=kind,
        body={"act": found.id, "by": found.proposer, "on_channel": channel},
        at=at,
    )
