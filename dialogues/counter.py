"""At the counter of the till: what a turn asks about money, and the till's answer in the words of the engine.

All of it happens inside the turn's own transaction: a factor is checked and a yes recorded together, or neither is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from data.clock import is_quiet
from data.events import InboundEvent
from data.ids import AccountId, ActId, PaymentId, QuoteId
from data.money import Money
from data.store.engine import Tx
from dialogues import codes, permissions, purses, saying, standing
from dialogues.actions.ports import bill_name
from dialogues.consents import act_slots
from dialogues.model import CheckFactor, Commit, Conversation, Facts, IssueCode, News, Propose
from dialogues.relations import relation_word
from dialogues.results import payment_slots
from payments import debiting, inviting
from payments.acts import (
    AlreadyConfirmed,
    Confirmed,
    Evidence,
    LineWish,
    Proposed,
    Question,
    Refusal,
    Strength,
)
from payments.authority import factors
from payments.authority.factors import FactorBlocked, FactorExpired, FactorPassed, FactorWrong

if TYPE_CHECKING:
    from dialogues.turn import House


_CODE_MESSAGES = {"mandate": "utter_code_message_mandate", inviting.KIND: "utter_code_message_invite"}


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
        if wish.act == "approve":
            return self._take_over(ActId(str(wish.arguments["act_id"])))
        if wish.act == "mandate":
            return self._propose_mandate(wish)
        if wish.act == debiting.KIND:
            return self._propose_debit(wish)
        if wish.act == inviting.KIND:
            return self._propose_offer(wish)
        till = self.house.till
        answer = till.propose(
            self.tx,
            proposer=self.event.person,
            wishes=_lines(wish),
            channel=self.conversation.channel,
            at=self.event.at,
        )
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        reason = self._cannot_be_agreed_to(answer)
        if not reason and answer.confirmer != self.event.person:
            return self._ask_the_owner(answer)
        reason = reason or self._cannot_be_confirmed_here(answer)
        if reason:
            till.cancel(self.tx, answer.act, self.event.person, self.event.at)
            return Verdict("refused", {"reason": reason})
        return Verdict("proposed", self._read_back(answer))

    def _propose_mandate(self, wish: Propose) -> Verdict:
        """An automatic payment to read back, with what it would have done last year."""
        if not (self._has_pin or self._has_second_phone):
            return Verdict("refused", {"reason": "no_factor"})
        answer = self.house.till.propose_mandate(
            self.tx,
            proposer=self.event.person,
            terms=standing.terms_of(wish.arguments),
            channel=self.conversation.channel,
            at=self.event.at,
            replaces=wish.arguments.get("replaces"),
            purse=wish.arguments.get("purse"),
        )
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        factor = {"code_sent": self._has_second_phone, "has_pin": self._has_pin}
        purse = {"purse_name": purses.name_of(self.tx, self.event.person, answer.purse, self._words)}
        return Verdict("proposed", standing.read_back(answer, self._words, self._comma) | purse | factor)

    def _propose_debit(self, wish: Propose) -> Verdict:
        """A payment by itself the payer was asked about first: read back at what the biller says now."""
        if not (self._has_pin or self._has_second_phone):
            return Verdict("refused", {"reason": "no_factor"})
        answer = self.house.till.propose_debit(
            self.tx,
            debit=str(wish.arguments["debit"]),
            quote=QuoteId(wish.arguments["quote"]),
            proposer=self.event.person,
            channel=self.conversation.channel,
            at=self.event.at,
        )
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        return Verdict("proposed", self._read_back(answer) | {"amount": answer.total.fen})

    def _propose_offer(self, wish: Propose) -> Verdict:
        """What a relative or helper shall be let do, to read back."""
        if not (self._has_pin or self._has_second_phone):
            return Verdict("refused", {"reason": "no_factor"})
        offer, locale = permissions.offer_of(wish.arguments), self.conversation.preferences.locale
        answer = inviting.propose_offer(
            self.tx,
            self.event.person,
            offer,
            self.conversation.channel,
            self.event.at,
            self.house.till.limits,
        )
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        read_back = {"act": answer.act, "digest": answer.digest, "strength": Strength.CODE.value}
        told = {"who": relation_word(offer.relation, locale), "invite_until": answer.until.isoformat()}
        factor = {"code_sent": self._has_second_phone, "has_pin": self._has_pin}
        return Verdict("proposed", read_back | told | factor)

    def _agree_to_offer(self, wish: Commit) -> Verdict:
        """The yes to an offer: no money moves; the code that comes of it is told at once, here and nowhere else."""
        offer = permissions.offer_of(self.conversation.slots)
        answer = inviting.agree(
            self.tx, ActId(wish.act), wish.digest, offer, self._evidence(wish), self.event.at
        )
        match answer:
            case Refusal():
                return Verdict("refused", {"reason": answer.reason})
            case AlreadyConfirmed():
                return Verdict("refused", {"reason": "act_confirmed"})
        code = News("tell_permission", {"invite_code": answer.code}, act=wish.act, outcome=standing.AGREED)
        return Verdict("submitted", news=code)

    def _cannot_be_agreed_to(self, proposed: Proposed) -> str:
        """Why another's yes, where one is needed, cannot be had now; empty when it can, or none is needed."""
        second = proposed.strength is Strength.APPROVAL
        if second and not self.house.till.approvers(self.tx, proposed, self.event.at):
            # Only his own money is his to let stand for a day.
            return "nobody_agrees" if proposed.payer == self.event.person else "approval_needed"
        other = second or proposed.confirmer != self.event.person
        # At night nobody is asked (L12), and by the morning the price would be an old one.
        return "at_night" if other and is_quiet(self.event.at) else ""

    def _ask_the_owner(self, proposed: Proposed) -> Verdict:
        """Who starts is not who agrees: the purse's owner is asked on his own channel, and this person waits (L7)."""
        self.house.till.ask_another(self.tx, proposed.act, self.event.at)
        return Verdict("refused", {"reason": "owner_asked"})

    def _take_over(self, act: ActId) -> Verdict:
        """An act another began and that waits for this person's yes, with the digest it was proposed with."""
        answer = self.house.till.taken_over(self.tx, act, self.event.person, self.event.at)
        if isinstance(answer, Refusal):
            return Verdict("refused", {"reason": answer.reason})
        if reason := self._cannot_be_confirmed_here(answer):
            return Verdict("refused", {"reason": reason})
        # Of what is agreed to nothing comes from the talk: the act itself says which bill and how much.
        found, locale = self.house.till.act(self.tx, act), self.conversation.preferences.locale
        bound = act_slots(self.tx, self.house.catalogue, found, locale)
        # It lives longer than the talk about it: only a plain no, or 停, ends it for both.
        return Verdict("proposed", bound | self._read_back(answer) | {"lasting": True})

    def _cannot_be_confirmed_here(self, proposed: Proposed) -> str:
        """Why this person's yes on this channel could not count; empty when it can."""
        if self._strength(proposed) is Strength.CODE and not (self._has_pin or self._has_second_phone):
            return "no_factor"
        return ""

    def _strength(self, proposed: Proposed) -> Strength:
        """What this person's own yes must be; where the family must agree as well, it is asked after his."""
        if proposed.strength is Strength.APPROVAL and self.house.till.approvers(
            self.tx, proposed, self.event.at
        ):
            return Strength.CODE
        return proposed.strength

    @property
    def _has_pin(self) -> bool:
        return factors.has_pin(self.tx, self.event.person)

    @property
    def _has_second_phone(self) -> bool:
        return codes.has_second_address(self.tx, self.event.person, self.conversation.channel)

    def _read_back(self, proposed: Proposed) -> dict[str, Any]:
        locale = self.conversation.preferences.locale
        others = proposed.payer_relation != "self"
        usual = next((q.usual.fen for q in proposed.questions if q.kind == "unusual_amount"), None)
        return {
            "act": proposed.act,
            "digest": proposed.digest,
            "strength": self._strength(proposed).value,
            "method": proposed.method,
            "payer_relation": _whose(proposed.payer_relation, locale) if others else None,
            "usual": usual,
            **self._joint(proposed),
            "code_sent": self._has_second_phone,
            "has_pin": self._has_pin,
        }

    def _joint(self, proposed: Proposed) -> dict[str, Any]:
        """Of an act with several lines: the total the till bound, and which of them are much higher than usual."""
        if len(proposed.lines) == 1:
            return {"joint_total": proposed.total.fen}
        higher = [self._higher(proposed, question) for question in proposed.questions]
        return {
            "usual": None,
            "joint_total": proposed.total.fen,
            "joint_usual": self._comma.join(higher) or None,
        }

    @property
    def _comma(self) -> str:
        return "，" if self.conversation.preferences.locale == "zh" else ", "

    def _words(self, response: str, values: Mapping[str, Any]) -> str:
        return saying.plain(self.house.release, response, values, self.conversation, self.facts)

    def _higher(self, proposed: Proposed, question: Question) -> str:
        catalogue, locale = self.house.catalogue, self.conversation.preferences.locale
        line = next(line for line in proposed.lines if line.account == question.account)
        name = bill_name(catalogue, catalogue.biller(line.biller).utility, locale)
        values = {"bill_name": name, "usual": question.usual.fen}
        return self._words("utter_joint_usual", values)

    def issue_code(self, wish: IssueCode) -> None:
        """Sends a code for exactly what was read back, to a second phone if there is one."""
        act = self.house.till.act(self.tx, ActId(wish.act))
        response = _CODE_MESSAGES.get(act.kind, "utter_code_message")
        text = saying.plain(
            self.house.release,
            response,
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
        if self.house.till.act(self.tx, ActId(wish.act)).kind == inviting.KIND:
            return self._agree_to_offer(wish)
        if self._link_reaches_nobody(ActId(wish.act)):
            self.house.till.cancel(self.tx, ActId(wish.act), self.event.person, self.event.at)
            return Verdict("refused", {"reason": "no_link_here"})
        answer = self.house.till.confirm(
            self.tx, act=ActId(wish.act), digest=wish.digest, evidence=self._evidence(wish), at=self.event.at
        )
        match answer:
            case Confirmed() | AlreadyConfirmed() if self._kind(wish.act) in ("mandate", debiting.KIND):
                told = standing.agreed(self.conversation)
                agreed = News(standing.FLOW, told, act=wish.act, outcome=standing.AGREED)
                return Verdict("submitted", payments=answer.payments, news=agreed)
            case Confirmed():
                return Verdict("submitted", payments=answer.payments)
            case AlreadyConfirmed():
                return Verdict("already", payments=answer.payments, news=self._stored(wish.act, answer))
            case Refusal():
                return Verdict("refused", {"reason": answer.reason})
            case _:
                assert_never(answer)

    def _kind(self, act: str) -> str:
        """Of an act about automatic payments the outcome is known at once; what becomes of a debit its own news tell."""
        return self.house.till.act(self.tx, ActId(act)).kind

    def _evidence(self, wish: Commit) -> Evidence:
        """How the yes was given; for an automatic payment with the very words that were read back."""
        words, wording = "", ""
        if self._kind(wish.act) == "mandate":
            words, wording = standing.words(self.house, self.conversation, self.facts)
        return Evidence(
            event_id=self.cause,
            channel=self.conversation.channel,
            by=self.event.person,
            kind=wish.how,
            factor=wish.factor or None,
            words=words,
            wording=wording,
        )

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
        something = bool(stopped.cancelled_acts or stopped.cancelled_payments or stopped.let_stand)
        something = something or cancelled_before
        outcome = "nothing_sent" if stopped.nothing_charged else "in_flight"
        return Verdict(outcome, {"stopped_something": something}, tuple(p.id for p in stopped.in_flight))


def _whose(relation: str, locale: str) -> str:
    """What the payer is to whoever says yes; somebody nobody called anything is still not himself."""
    return relation_word(relation, locale) or ("家里人" if locale == "zh" else "relative")


def _lines(wish: Propose) -> list[LineWish]:
    """What an act shall pay: one bill, or a line for each of several."""
    slots = wish.arguments
    if wish.act != "joint":
        return [
            LineWish(AccountId(slots["account_id"]), QuoteId(slots["quote"]), Money(int(slots["amount"])))
        ]
    return [LineWish(AccountId(a), QuoteId(q), Money(int(fen))) for a, q, fen in slots["joint_wishes"]]
