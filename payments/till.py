"""The till: everything the counter may ask of the money rooms, inside the transaction of a turn.

Nothing here speaks with the outside; what is confirmed here is carried out by `advance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from data.catalogue import Catalogue
from data.ids import AccountId, ActId, BillerId, InstrumentId, PaymentId, PersonId, QuoteId
from data.model import Utility
from data.money import Money
from data.store.engine import Tx
from data.store.payments import acts as acts_table
from data.store.payments import payments
from payments import (
    acts,
    agreeing,
    approving,
    asked,
    calling_off,
    debiting,
    inviting,
    lowering,
    mandates,
    showing,
    states,
    stopping,
    warnings,
)
from payments.acts import (
    ActView,
    AlreadyConfirmed,
    Confirmed,
    Evidence,
    LineWish,
    Proposed,
    Refusal,
    held_as,
)
from payments.authority import factors
from payments.confirming import confirm
from payments.limits import Limits
from payments.news import tell
from payments.opening import till_account
from payments.proposing import propose
from payments.quoting import kept_quote
from payments.states import COLLECTING, FINAL, Payment, State
from payments.terms import Charge, Clauses, MandateView, ProposedMandate, Terms


@dataclass(frozen=True, slots=True)
class PaymentView:
    """What may be told of a payment. `told` is what a flow distinguishes:

    "paid"           the rail says it collected (also while the money is on its way back: look at `state`)
    "refused"        it ended and nothing was charged
    "waiting_payer"  the page is open
    "checking"       anything else: not known yet
    """

    id: PaymentId
    act: ActId
    account: AccountId
    biller: BillerId
    utility: Utility
    payer: PersonId
    amount: Money
    state: State
    told: str
    captured_at: datetime | None
    posted_at: datetime | None
    refunded_at: datetime | None
    reason: str | None
    tail: str
    holder_masked: str
    hosted_url: str | None = field(repr=False)
    balance_after: Money | None  # of a prepaid meter, once the biller has written the payment off
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """What 停 did: proposals and unsent payments ended at once; `in_flight` was sent and is closed where the rail allows."""

    cancelled_acts: tuple[ActId, ...]
    cancelled_payments: tuple[PaymentId, ...]
    in_flight: tuple[PaymentView, ...]
    let_stand: int = 0  # first payments that were let stand for a day

    @property
    def nothing_charged(self) -> bool:
        """Whether it is certain that none of this took money."""
        return not self.in_flight


class Till:
    """Binds the rules of the house to the transaction functions."""

    def __init__(self, catalogue: Catalogue, limits: Limits) -> None:
        self.catalogue = catalogue
        self.limits = limits

    # --- acts ---------------------------------------------------------------------------------------------------

    def propose(
        self,
        tx: Tx,
        *,
        proposer: PersonId,
        wishes: list[LineWish],
        channel: str,
        method: str = "auto",
        at: datetime,
    ) -> Proposed | Refusal:
        """Something to read back, or why not."""
        return propose(
            tx,
            proposer=proposer,
            wishes=wishes,
            channel=channel,
            method=method,
            at=at,
            limits=self.limits,
            catalogue=self.catalogue,
        )

    def confirm(
        self, tx: Tx, *, act: ActId, digest: str, evidence: Evidence, at: datetime
    ) -> Confirmed | AlreadyConfirmed | Refusal:
        """The yes. The payments it writes are advanced after the transaction; an automatic payment only comes into force."""
        mandate = held_as(tx, act, agreeing.KIND)
        if mandate is not None:
            return agreeing.agree(
                tx, mandate, digest, evidence, at, limits=self.limits, catalogue=self.catalogue
            )
        answer = held_as(tx, act, debiting.KIND)
        if answer is not None:
            return asked.agree(tx, answer, digest, evidence, at, limits=self.limits, catalogue=self.catalogue)
        return confirm(
            tx,
            act=act,
            digest=digest,
            evidence=evidence,
            at=at,
            catalogue=self.catalogue,
            limits=self.limits,
        )

    def cancel(self, tx: Tx, act: ActId, by: PersonId, at: datetime) -> bool:
        """Takes a proposal back; who waits for another's yes, or was asked for his, ends it for both."""
        return calling_off.one(tx, act, by, at)

    def ask_another(self, tx: Tx, act: ActId, at: datetime) -> tuple[PersonId, ...]:
        """The act waits for its owner's yes on his own channel; gives who was asked."""
        return approving.ask_another(tx, act, at)

    def approvers(self, tx: Tx, proposed: Proposed, at: datetime) -> tuple[PersonId, ...]:
        """Who could give the second yes where the family must agree; nobody when no relative was ever asked to."""
        return approving.second_deciders(tx, acts.view(tx, proposed.act), at)

    def expire_waiting(self, tx: Tx, at: datetime) -> int:
        """Ends acts nobody agreed to in time; who began them is told."""
        return approving.expire_due(tx, at)

    def taken_over(self, tx: Tx, act: ActId, by: PersonId, at: datetime) -> Proposed | Refusal:
        """What waits for this person's yes, as it was proposed."""
        return approving.taken_over(tx, act, by, at)

    def act(self, tx: Tx, act: ActId) -> ActView:
        """An act as it stands. Raises NoSuchAct."""
        return acts.view(tx, act)

    def issue_code(self, tx: Tx, act: ActId, at: datetime) -> factors.IssuedCode:
        """A one-time code for the one who must say yes, good for exactly what was read back."""
        found = acts.view(tx, act)
        return factors.issue_code(tx, found.confirmer, act, found.digest, at)

    def check_factor(
        self, tx: Tx, act: ActId, by: PersonId, digits: str, at: datetime
    ) -> factors.FactorPassed | factors.FactorWrong | factors.FactorBlocked | factors.FactorExpired:
        """PIN or code of the one who says yes."""
        return factors.check(tx, by, act, acts.view(tx, act).digest, digits, at)

    # --- automatic payments ---------------------------------------------------------------------------------------

    def propose_mandate(
        self,
        tx: Tx,
        *,
        proposer: PersonId,
        terms: Terms,
        channel: str,
        at: datetime,
        replaces: str | None = None,
        purse: InstrumentId | None = None,
    ) -> ProposedMandate | Refusal:
        """An automatic payment from the proposer's own purse, to read back; `replaces` names the one it changes."""
        return agreeing.propose_mandate(
            tx,
            proposer=proposer,
            terms=terms,
            channel=channel,
            at=at,
            limits=self.limits,
            catalogue=self.catalogue,
            replaces=replaces,
            purse=purse,
        )

    def resume_mandate(
        self, tx: Tx, *, mandate: str, proposer: PersonId, channel: str, at: datetime
    ) -> ProposedMandate | Refusal:
        """The same terms again, to read back: going on needs the second factor. Raises NoSuchMandate."""
        terms = mandates.read(tx, mandate).terms
        return self.propose_mandate(
            tx, proposer=proposer, terms=terms, channel=channel, at=at, replaces=mandate
        )

    def mandates_of(self, tx: Tx, person: PersonId, at: datetime) -> list[MandateView]:
        """The live automatic payments a person pays for, then those others pay on his own accounts."""
        return showing.views_of(tx, person, at)

    def mandate_at(self, tx: Tx, account: AccountId, at: datetime) -> MandateView | None:
        """The live automatic payment of an account."""
        return showing.view_at(tx, account, at)

    def lapsed_mandates(self, tx: Tx, payer: PersonId, at: datetime) -> list[MandateView]:
        """Those of a payer that ended by themselves in the last month and were not set up anew."""
        return showing.lapsed_views(tx, payer, at)

    def mandate_of_act(self, tx: Tx, act: ActId, at: datetime) -> MandateView:
        """What an act of kind "mandate" agrees, or agreed, to. Raises NoSuchMandate."""
        return showing.view(tx, mandates.of_act(tx, act), at)

    def mandate(self, tx: Tx, mandate: str, at: datetime) -> MandateView:
        """One automatic payment in any state. Raises NoSuchMandate."""
        return showing.view(tx, mandates.read(tx, mandate), at)

    def stop_mandate(self, tx: Tx, mandate: str, by: PersonId, at: datetime) -> bool:
        """Ends it at once, without a second factor; nothing it began is sent any more. False: nothing of his to stop."""
        return stopping.stop(tx, mandate, by, at)

    def on_its_way(self, tx: Tx, mandate: str) -> Money:
        """What an automatic payment has begun and is not over yet. Raises NoSuchMandate."""
        return stopping.on_its_way(tx, mandates.read(tx, mandate))

    def pause_mandate(
        self, tx: Tx, mandate: str, by: PersonId, at: datetime, until: date | None = None
    ) -> bool:
        """Lets it rest at once, until that day or until a new agreement."""
        return stopping.pause(tx, mandate, by, at, until)

    def take_less(
        self, tx: Tx, mandate: str, by: PersonId, at: datetime, clauses: Clauses
    ) -> Terms | Refusal:
        """Less than agreed is possible at once, without a second factor; more is a new agreement. Gives what stands then."""
        return lowering.take_less(tx, mandate, by, at, clauses, limits=self.limits, catalogue=self.catalogue)

    def asked_about(self, tx: Tx, person: PersonId) -> list[asked.Question]:
        """Payments this payer was asked about first and has not answered, the newest first."""
        return asked.waiting(tx, person)

    def propose_debit(
        self, tx: Tx, *, debit: str, quote: QuoteId, proposer: PersonId, channel: str, at: datetime
    ) -> Proposed | Refusal:
        """The payment he was asked about first, to read back; his yes makes it under the agreement."""
        return asked.propose(
            tx,
            debit=debit,
            quote=quote,
            proposer=proposer,
            channel=channel,
            at=at,
            limits=self.limits,
            catalogue=self.catalogue,
        )

    def skip_debit(self, tx: Tx, account: AccountId, by: PersonId, at: datetime) -> bool:
        """The debit of this account that was announced or asked about is left out this once. False: there is none."""
        return stopping.skip(tx, account, by, at)

    def acknowledge(self, tx: Tx, person: PersonId, at: datetime) -> int:
        """Warnings this person was told of go no further; gives how many."""
        return warnings.acknowledge(tx, person, at)

    def recent_charges(
        self, tx: Tx, at: datetime, *, person: PersonId | None = None, account: AccountId | None = None
    ) -> list[Charge]:
        """What was taken by itself of late, the newest first, each with its reading and its agreement (为什么扣我钱)."""
        return showing.charges(tx, at, person, account)

    # --- stopping (L3) ------------------------------------------------------------------------------------------

    def stop(self, tx: Tx, person: PersonId, at: datetime) -> Stopped:
        """停: nothing further is sent for this person. What was sent is asked to be closed; its news follow."""
        ended = calling_off.everything(tx, person, at)
        inviting.stop(tx, person, at)
        unsent: list[PaymentId] = []
        flying: list[PaymentView] = []
        for payment in self._unfinished_of(tx, person):
            if _cancel_unsent(tx, payment, at):
                unsent.append(payment.id)
                continue
            if _may_still_close(payment):
                states.note(tx, payment.id, stop_asked=True, next_at=at)
            flying.append(self._view(tx, states.read(tx, payment.id)))
        if flying:
            # Of several bills some were sent and some were not: each is told by itself.
            for payment_id in unsent:
                tell(tx, states.read(tx, payment_id), "stopped", at, reason="stopped")
        return Stopped(ended.acts, tuple(unsent), tuple(flying), len(ended.standing))

    def _unfinished_of(self, tx: Tx, person: PersonId) -> list[Payment]:
        mine = sa.or_(payments.c.payer == person, acts_table.c.confirmer == person)
        rows = tx.conn.execute(
            sa.select(payments)
            .join(acts_table, acts_table.c.id == payments.c.act)
            .where(mine, payments.c.state.not_in([s.value for s in FINAL]))
            .order_by(payments.c.created_at, payments.c.line)
            .with_for_update(of=payments)
        )
        return [states.of_row(row) for row in rows]

    # --- reading ------------------------------------------------------------------------------------------------

    def outcome(self, tx: Tx, payment: PaymentId) -> PaymentView:
        """A payment as it may be told. Raises NoSuchPayment."""
        return self._view(tx, states.read(tx, payment))

    def open_payment(self, tx: Tx, account: AccountId) -> PaymentView | None:
        """The unfinished payment at an account, which a second one would have to wait for."""
        found = states.open_at(tx, account)
        return None if found is None else self._view(tx, found)

    def payments_of(self, tx: Tx, person: PersonId, limit: int = 20) -> list[PaymentView]:
        """What a person paid or said yes to, the newest first."""
        mine = sa.or_(payments.c.payer == person, acts_table.c.confirmer == person)
        rows = tx.conn.execute(
            sa.select(payments)
            .join(acts_table, acts_table.c.id == payments.c.act)
            .where(mine)
            .order_by(payments.c.created_at.desc(), payments.c.line.desc())
            .limit(limit)
        )
        return [self._view(tx, states.of_row(row)) for row in rows]

    def claim_holds(self, tx: Tx, payment: PaymentId, claim: str) -> bool:
        """Whether 已扣款, 已销账, 已退款 or 没有扣钱 may be said of it now (L2). An unknown claim never holds."""
        row = states.read(tx, payment)
        if claim == "not_captured":
            return row.captured_at is None and row.state in (State.FAILED, State.CANCELLED)
        facts = {"captured": row.captured_at, "posted": row.posted_at, "refunded": row.refunded_at}
        return facts.get(claim) is not None

    def _view(self, tx: Tx, row: Payment) -> PaymentView:
        account = till_account(tx, row.account)
        return PaymentView(
            id=row.id,
            act=row.act,
            account=row.account,
            biller=row.biller,
            utility=account.utility,
            payer=row.payer,
            amount=row.amount,
            state=row.state,
            told=_told(row),
            captured_at=row.captured_at,
            posted_at=row.posted_at,
            refunded_at=row.refunded_at,
            reason=row.reason,
            tail=account.tail,
            holder_masked=account.holder_masked,
            hosted_url=row.hosted_url,
            balance_after=_balance_after(tx, row),
            created_at=row.created_at,
        )


def _cancel_unsent(tx: Tx, payment: Payment, at: datetime) -> bool:
    # `confirmed` is left in the transaction before anything is sent: here nothing ever was.
    return payment.state is State.CONFIRMED and states.move(
        tx,
        payment.id,
        State.CONFIRMED,
        State.CANCELLED,
        at,
        reason="stopped",
        stop_asked=True,
        next_at=None,
    )


def _may_still_close(payment: Payment) -> bool:
    unclear = payment.state is State.NEEDS_HUMAN and payment.captured_at is None
    return payment.state in COLLECTING or unclear


def _told(row: Payment) -> str:
    if row.captured_at is not None:
        return "paid"
    if row.state in (State.FAILED, State.CANCELLED):
        return "refused"
    return "waiting_payer" if row.state is State.AWAITING_PAYER else "checking"


def _balance_after(tx: Tx, row: Payment) -> Money | None:
    kept = kept_quote(tx, row.quote) if row.posted_at else None
    if kept is None or kept.quote.balance is None:
        return None
    return kept.quote.balance + row.amount
