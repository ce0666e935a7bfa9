"""Writing down what somebody is about to be asked, once, in one place; what it replaces is void from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import AccountId, ActId, PersonId, fresh
from data.store.engine import Tx
from data.store.payments import act_lines, acts
from payments.acts import ActLine, Strength
from payments.states import ActState, move_act


@dataclass(frozen=True, slots=True)
class Draft:
    """An act before it is a row: whose, of which kind, what was or will be read back, and until when it waits."""

    kind: str
    proposer: PersonId
    payer: PersonId
    confirmer: PersonId
    digest: str
    strength: Strength
    channel: str
    at: datetime
    until: datetime
    lines: tuple[ActLine, ...] = ()
    grant_id: str | None = None

    @classmethod
    def own(
        cls, kind: str, person: PersonId, digest: str, channel: str, at: datetime, until: datetime
    ) -> Draft:
        """Something a person agrees to by himself, with his own purse and his PIN or code."""
        return cls(kind, person, person, person, digest, Strength.CODE, channel, at, until)


def put(
    tx: Tx, draft: Draft, state: ActState = ActState.PROPOSED, evidence: dict[str, Any] | None = None
) -> ActId:
    """Writes an act and its lines; one that a mandate makes is confirmed from its first moment."""
    act = ActId(fresh("act"))
    tx.conn.execute(
        sa.insert(acts).values(
            id=act,
            kind=draft.kind,
            state=state.value,
            proposer=draft.proposer,
            payer=draft.payer,
            confirmer=draft.confirmer,
            digest=draft.digest,
            strength=draft.strength.value,
            grant_id=draft.grant_id,
            channel=draft.channel,
            created_at=draft.at,
            expires_at=draft.until,
            decided_at=draft.at if state is ActState.CONFIRMED else None,
            evidence=evidence,
        )
    )
    if draft.lines:
        tx.conn.execute(sa.insert(act_lines), [_line_row(act, n, line) for n, line in enumerate(draft.lines)])
    return act


def _line_row(act: ActId, n: int, line: ActLine) -> dict[str, Any]:
    return {
        "act": act,
        "n": n,
        "account": line.account,
        "biller": line.biller,
        "quote": line.quote,
        "amount_fen": line.amount.fen,
        "method": line.method,
        "instrument": line.instrument,
    }


def supersede(tx: Tx, proposer: PersonId, accounts: list[AccountId], at: datetime) -> None:
    """A newer proposal is about to be made: the proposer's older ones for these accounts are void."""
    older = (
        sa.select(acts.c.id)
        .distinct()
        .join(act_lines, act_lines.c.act == acts.c.id)
        .where(
            acts.c.proposer == proposer,
            acts.c.state == ActState.PROPOSED.value,
            act_lines.c.account.in_(accounts),
        )
    )
    replace_all(tx, older, at)


def replace_all(tx: Tx, older: sa.Select[Any], at: datetime) -> None:
    """Each of these proposals is replaced by a newer one; what was decided meanwhile stays decided."""
    for act in tx.conn.scalars(older).all():
        move_act(tx, ActId(act), ActState.PROPOSED, ActState.SUPERSEDED, at)
