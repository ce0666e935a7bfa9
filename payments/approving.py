"""An act that waits for another person's yes: the owner of the purse, or a relative who must agree to a first payment.

Who starts is not who agrees (L7). The act keeps the digest of what was proposed; whoever must agree takes over that very
digest on his own channel, says yes with his own PIN or code, once, and before it expires. Either side ends it with one word.
Of several relatives all are asked: the first yes decides, one no ends it, and whoever was asked hears that it is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import ActId, PersonId
from data.model import May, Role
from data.store import journal, letters
from data.store.engine import Tx
from data.store.payments import acts
from payments import let_stand
from payments.acts import ActView, NoSuchAct, Proposed, Refusal, Strength, digest_of, view
from payments.authority import access, invitations, looks, people
from payments.purse import relation_of
from payments.states import ActState, move_act

ASKED, GIVEN, REFUSED, WITHDRAWN, EXPIRED = (
    "approval_asked",
    "approval_given",
    "approval_refused",
    "approval_withdrawn",
    "approval_expired",
)
# To relatives who were asked as well: another agreed, another refused. To who began it: a yes that came too late.
SETTLED, CLOSED, LATE = "approval_settled", "approval_closed", "approval_late"
KINDS = frozenset({ASKED, GIVEN, REFUSED, WITHDRAWN, EXPIRED, SETTLED, CLOSED, LATE})


def approvers(tx: Tx, payer: PersonId, at: datetime) -> tuple[PersonId, ...]:
    """Who may agree to an unusual payment of this person: relatives he has let pay for him for 72 hours (settled 5).

    Whoever talks an elder into a payment would talk him into an invitation first; a new relative is no second pair of eyes.
    A helper is none either, whatever was granted to her: the second yes is the family's.
    """
    return _relatives(tx, payer, at, at - invitations.COOLING)


def payers(tx: Tx, person: PersonId, at: datetime) -> tuple[PersonId, ...]:
    """Relatives whom this person lets pay for him with their own money, from the first hour."""
    return _relatives(tx, person, at, at)


def _relatives(tx: Tx, giver: PersonId, at: datetime, linked_by: datetime) -> tuple[PersonId, ...]:
    given = access.grants_by(tx, giver, at)
    able = (g for g in given if g.verb is May.PAY and g.valid and g.since <= linked_by and g.taker != giver)
    return tuple(p for p in dict.fromkeys(g.taker for g in able) if people.person(tx, p).role is Role.FAMILY)


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


# --- how it ends --------------------------------------------------------------------------------------------------


def agreed(tx: Tx, found: ActView, by: PersonId, at: datetime) -> None:
    """The yes it waited for was given: who began it hears so, and so does everybody else who was asked."""
    asked = {*deciders(tx, found, at)} - {by}
    for person in sorted({found.proposer, found.confirmer} - {by} - asked):
        tell(tx, GIVEN, found, person, at, who=by)
    for person in sorted(asked):
        tell(tx, SETTLED, found, person, at, who=by)


def called_off(tx: Tx, found: ActView, by: PersonId, at: datetime) -> None:
    """A waiting act was cancelled: who was asked said no, or who started it took it back; the others hear of it."""
    asked, began = {*deciders(tx, found, at)}, {found.proposer, found.confirmer}
    if by not in began or (by in asked and by != found.proposer):
        _refused(tx, found, by, asked, at)
        return
    for person in sorted((asked | {found.proposer}) - {by}):
        tell(tx, WITHDRAWN, found, person, at, who=by)


def _refused(tx: Tx, found: ActView, by: PersonId, asked: set[PersonId], at: datetime) -> None:
    journal.record(tx, kind="elder_refused", person=found.payer, actor=by, subject=found.id, at=at)
    # A relative's no is not waited out: what was let stand for these bills before is over as well.
    let_stand.end(tx, found.payer, at, [line.account for line in found.lines])
    began = {found.proposer, *({found.confirmer} if found.evidence is not None else ())} - {by}
    for person in sorted(began):
        tell(tx, REFUSED, found, person, at, who=by)
    for person in sorted(asked - began - {by}):
        tell(tx, CLOSED, found, person, at, who=by)


def asked_of(tx: Tx, person: PersonId, at: datetime) -> list[ActView]:
    """Acts that wait for this person's yes at this moment, though another began them."""
    near = [person, *(link.giver for link in looks.given_to(tx, person, at))]
    waiting = sa.select(acts.c.id).where(
        acts.c.state == ActState.APPROVAL_WAIT.value,
        acts.c.proposer != person,
        acts.c.expires_at > at,
        sa.or_(acts.c.payer.in_(near), acts.c.confirmer == person),
    )
    found = [view(tx, ActId(a)) for a in tx.conn.scalars(waiting.order_by(acts.c.created_at, acts.c.id))]
    return [one for one in found if person in deciders(tx, one, at)]


def expire(tx: Tx, found: ActView, at: datetime) -> bool:
    """Nobody answered in time. False when it was decided meanwhile."""
    if not move_act(tx, found.id, ActState.APPROVAL_WAIT, ActState.EXPIRED, at):
        return False
    for person in sorted({found.proposer, *_said_first(found)}):
        tell(tx, EXPIRED, found, person, at)
    return True


def _said_first(found: ActView) -> set[PersonId]:
    """Who gave the first of two yeses and waits for the second."""
    return {found.confirmer} if found.evidence is not None else set()


def expire_due(tx: Tx, at: datetime) -> int:
    """Ends every waiting act whose time is over; gives how many."""
    late = sa.select(acts.c.id).where(acts.c.state == ActState.APPROVAL_WAIT.value, acts.c.expires_at <= at)
    return sum(expire(tx, view(tx, ActId(a)), at) for a in tx.conn.scalars(late).all())


def too_late(tx: Tx, act: ActId, by: PersonId, at: datetime) -> ActView | None:
    """A yes came after the act expired: who began it is told once, and may have the bill quoted anew. None: not his, or
    it ended otherwise."""
    try:
        found = view(tx, act)
    except NoSuchAct:
        return None
    if found.state is not ActState.EXPIRED or found.payments or by not in deciders(tx, found, at):
        return None
    if not by == found.payer == found.confirmer:  # the owner of a purse pays by himself, as he likes
        tell(tx, LATE, found, found.confirmer if _said_first(found) else found.proposer, at, who=by)
    return found


def call_off_between(tx: Tx, owner: PersonId, other: PersonId, at: datetime) -> int:
    """A permission was taken back: what `other` started with the owner's money, or was to agree to, ends with it."""
    open_states = [ActState.PROPOSED.value, ActState.APPROVAL_WAIT.value]
    theirs = sa.select(acts.c.id).where(
        acts.c.proposer == other, acts.c.payer == owner, acts.c.state.in_(open_states)
    )
    ended = [ActId(a) for a in tx.conn.scalars(theirs).all()]
    both = (ActState.PROPOSED, ActState.APPROVAL_WAIT)
    gone = sum(any(move_act(tx, act, state, ActState.CANCELLED, at) for state in both) for act in ended)
    return gone + _nobody_left(tx, owner, at)


def _nobody_left(tx: Tx, owner: PersonId, at: datetime) -> int:
    """What waits for a relative when none is left who could agree need not be waited for any longer."""
    his = sa.select(acts.c.id).where(
        acts.c.payer == owner, acts.c.state == ActState.APPROVAL_WAIT.value, acts.c.expires_at > at
    )
    found = [view(tx, ActId(a)) for a in tx.conn.scalars(his).all()]
    return sum(not deciders(tx, one, at) and expire(tx, one, at) for one in found)


def tell(
    tx: Tx,
    kind: str,
    found: ActView,
    person: PersonId,
    at: datetime,
    *,
    channel: str | None = None,
    who: PersonId | None = None,
) -> None:
    """One row of news about a waiting act, once for each person, kind and channel; `who` did what is told."""
    letters.put_news(
        tx,
        id=f"{kind}:{found.id}:{person}:{channel or ''}",
        person=person,
        kind=kind,
        body={"act": found.id, "by": found.proposer, "who": who, "on_channel": channel},
        at=at,
    )
