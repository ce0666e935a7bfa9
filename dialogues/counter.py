"""At the counter of the till: what a turn asks about money, and the till's answer in the words of the engine.

All of it happens inside the turn's own transaction: a factor is checked and a yes recorded together, or neither is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from data.events import InboundEvent
from data.ids import AccountId, ActId, PaymentId, QuoteId
from data.money import Money
from data.store.engine import Tx
from dialogues import codes, saying
from dialogues.model import CheckFactor, Commit, Conversation, Facts, IssueCode, News, Propose
from dialogues.relations import relation_word
from dialogues.results import payment_slots
from payments.acts import AlreadyConfirmed, Confirmed, Evidence, LineWish, Proposed, Refusal, Strength
from payments.authority import factors
from payments.authority.factors import FactorBlocked, FactorExpired, FactorPassed, FactorWrong

if TYPE_CHECKING:
    from dialogues.turn import House


@dataclass(frozen=True, slots=True)
class Verdict:
    """The till's answer: an outcome with slots, payments to carry out, and news when there is an outcome already."""

    outcome: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    payments: tuple[PaymentId, ...] = ()
    news: News | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """One turn standing at the counter."""

    tx: Tx
    house: House
    event: InboundEvent
    conversation: Conversation
    facts: Facts

    @property
    def cause(self) -> str:
        """The event on which all this happens, as it stands in letters and evidence."""
        return f"{self.event.channel}:{self.event.event_id}"

    def propose(self, wish: Propose) -> Verdict:
        """Something to read back, or why not."""
        slots, till = wish.arguments, self.house.till
        line = LineWish(AccountId(slots["account_id"]), QuoteId(slots["quote"]), Money(int(slots["amount"])))
        answer = till.propose(
            self.tx,
            proposer=self.event.person,
            wishes=[line],
            channel=self.conversation.channel,
            at=self.event.at,
        )
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        reason = self._cannot_be_confirmed_here(answer)
        if reason:
            till.cancel(self.tx, answer.act, self.event.person, self.event.at)
            return Verdict("refused", {"reason": reason})
        return Verdict("proposed", self._read_back(answer))

    def _cannot_be_confirmed_here(self, proposed: Proposed) -> str:
        """Why this person's yes on this channel could not count; empty when it can."""
        if proposed.confirmer != self.event.person:
            # Somebody else's purse needs its owner's own yes on his own channel; that talk is not opened from here.
            return "owner_must_confirm"
        if proposed.strength is Strength.CODE and not (self._has_pin or self._has_second_phone):
            return "no_factor"
        return ""

    @property
    def _has_pin(self) -> bool:
        return factors.has_pin(self.tx, self.event.person)

    @property
    def _has_second_phone(self) -> bool:
        return codes.has_second_address(self.tx, self.event.person, self.conversation.channel)

    def _read_back(self, proposed: Proposed) -> dict[str, Any]:
        locale = self.conversation.preferences.locale
        other = None if proposed.payer_relation == "self" else proposed.payer_relation
        usual = next((q.usual.fen for q in proposed.questions if q.kind == "unusual_amount"), None)
        return {
            "act": proposed.act,
            "digest": proposed.digest,
            "strength": proposed.strength.value,
            "method": proposed.method,
            "payer_relation": relation_word(other, locale) if other else None,
            "usual": usual,
            "code_sent": self._has_second_phone,
            "has_pin": self._has_pin,
        }

    def issue_code(self, wish: IssueCode) -> None:
        """Sends a code for exactly what was read back, to a second phone if there is one."""
        act = self.house.till.act(self.tx, ActId(wish.act))
        text = saying.plain(
            self.house.release,
            "utter_code_message",
            dict(self.conversation.slots) | {"amount": act.total.fen, "code": "{code}"},
            self.conversation,
            self.facts,
        )
        codes.send(
            self.tx,
            person=self.event.person,
            act=act.id,
            binding=act.digest,
            channel=self.conversation.channel,
            text=text,
            at=self.event.at,
            cause=self.cause,
        )

    def check_factor(self, wish: CheckFactor) -> Verdict:
        """Whether the PIN or code is right."""
        verdict = self.house.till.check_factor(
            self.tx, ActId(wish.act), self.event.person, wish.digits, self.event.at
        )
        match verdict:
            case FactorPassed():
                return Verdict("passed", {"factor": verdict.kind})
            case FactorWrong():
                return Verdict("wrong", {"tries_left": verdict.tries_left})
            case FactorBlocked():
                return Verdict("blocked")
            case FactorExpired():
                return Verdict("expired")
            case _:
                assert_never(verdict)

    def commit(self, wish: Commit) -> Verdict:
        """Records the yes; the payments it writes are carried out after the transaction."""
        if self._link_reaches_nobody(ActId(wish.act)):
            self.house.till.cancel(self.tx, ActId(wish.act), self.event.person, self.event.at)
            return Verdict("refused", {"reason": "no_link_here"})
        evidence = Evidence(
            event_id=self.cause,
            channel=self.conversation.channel,
            by=self.event.person,
            kind=wish.how,
            factor=wish.factor or None,
        )
        answer = self.house.till.confirm(
            self.tx, act=ActId(wish.act), digest=wish.digest, evidence=evidence, at=self.event.at
        )
        match answer:
            case Confirmed():
                return Verdict("submitted", payments=answer.payments)
            case AlreadyConfirmed():
                return Verdict("already", payments=answer.payments, news=self._stored(wish.act, answer))
            case Refusal():
                return Verdict("refused", {"reason": answer.reason})
            case _:
                assert_never(answer)

    def _link_reaches_nobody(self, act: ActId) -> bool:
        """Whether the page to pay on would be opened for somebody who has only this old telephone to see it on."""
        hosted = any(line.method == "hosted" for line in self.house.till.act(self.tx, act).lines)
        return hosted and self.facts.spoken and not codes.reads_messages(self.tx, self.event.person)

    def _stored(self, act: str, answer: AlreadyConfirmed) -> News:
        """Its news may long have been told: the stored outcome is said again, as it stands now."""
        view = self.house.till.outcome(self.tx, answer.payments[0])
        locale = self.conversation.preferences.locale
        told = {"paid": "captured"}.get(view.told, view.told)
        slots = payment_slots(view, self.house.catalogue, locale) | {"news": told}
        return News("tell_result", slots, act=act, outcome=view.told)

    def stop(self, cancelled_before: bool) -> Verdict:
        """停: nothing further is sent for this person."""
        stopped = self.house.till.stop(self.tx, self.event.person, self.event.at)
        something = bool(stopped.cancelled_acts or stopped.cancelled_payments) or cancelled_before
        outcome = "nothing_sent" if stopped.nothing_charged else "in_flight"
        return Verdict(outcome, {"stopped_something": something}, tuple(p.id for p in stopped.in_flight))
