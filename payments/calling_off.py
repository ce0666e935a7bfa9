"""Ending with one word what has not been paid yet: what a person began, what he was asked to agree to, what he let stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.ids import ActId, PersonId
from data.store.engine import Tx
from payments import acts, approving, let_stand
from payments.acts import NoSuchAct
from payments.let_stand import Standing
from payments.states import ActState, move_act


@dataclass(frozen=True, slots=True)
class CalledOff:
    """What ended: proposals and requests, and first payments that were let stand."""

    acts: tuple[ActId, ...]
    standing: tuple[Standing, ...]


def everything(tx: Tx, person: PersonId, at: datetime) -> CalledOff:
    """All that waits for this person's yes, or that he waits for another's with. Nothing of it was ever sent."""
    his = acts.proposed_by(tx, person)
    asked = [found.id for found in approving.asked_of(tx, person, at)]
    ended = tuple(act for act in dict.fromkeys((*his, *asked)) if one(tx, act, person, at))
    return CalledOff(ended, tuple(let_stand.end(tx, person, at)))


def waiting(tx: Tx, person: PersonId, at: datetime) -> CalledOff:
    """Only what waits for another's yes, or for a day to pass; a proposal of this moment is the talk's own business."""
    asked = (*approving.asked_of(tx, person, at), *approving.waits_for(tx, person, at))
    ended = tuple(found.id for found in asked if one(tx, found.id, person, at))
    return CalledOff(ended, tuple(let_stand.end(tx, person, at)))


def one(tx: Tx, act: ActId, by: PersonId, at: datetime) -> bool:
    """Ends one act; who waited for it, or was asked for his yes, hears so. False: decided already, or not his to end."""
    try:
        found = acts.view(tx, act, hold=True)
    except NoSuchAct:
        return False
    waited = found.state is ActState.APPROVAL_WAIT
    if not acts.cancel(tx, act, by, at):
        # A relative who was asked to agree has no part in the act but his yes.
        asked = waited and by in approving.deciders(tx, found, at)
        if not asked or not move_act(tx, act, ActState.APPROVAL_WAIT, ActState.CANCELLED, at):
            return False
    if waited:
        approving.called_off(tx, found, by, at)
    return True
