"""Making a proposal: may he, is the bill still as quoted, whose purse, and how firm must the yes be?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from data.catalogue import Catalogue
from data.ids import AccountId, ActId, PersonId
from data.model import May
from data.money import Money
from data.store import journal
from data.store.engine import Tx
from payments import drafting, let_stand, pausing
from payments import limits as figures
from payments.acts import VOICE, ActLine, LineWish, Proposed, Question, Refusal, Strength, digest_of
from payments.authority import access, accounts, people
from payments.drafting import Draft
from payments.limits import Limits
from payments.purse import Purse, choose_purse, why_none
from payments.quoting import amount_fits, kept_quote
from payments.states import open_at

KIND = "pay"
# What was saved within it does not make an account an old one: saving is no shorter way than letting a payment stand.
THIS_TALK = let_stand.STANDS


def propose(
    tx: Tx,
    *,
    proposer: PersonId,
    wishes: list[LineWish],
    channel: str,
    method: str = "auto",
    at: datetime,
    limits: Limits,
    catalogue: Catalogue,
) -> Proposed | Refusal:
    """Writes down what is to be read back; a newer proposal for the same account replaces the proposer's older one."""
    if not wishes or len({w.account for w in wishes}) < len(wishes):
        raise ValueError("an act has at least one line, and each account once")
    until = at + limits.act_lifetime
    for wish in wishes:
        refusal = wish_refused(tx, proposer, wish, at, catalogue)
        if refusal is not None:
            return refusal
        kept = kept_quote(tx, wish.quote)
        assert kept is not None
        until = min(until, kept.expires_at)
    purse = choose_purse(tx, proposer, [w.account for w in wishes], channel, method, at)
    if purse is None:
        return Refusal(why_none(tx, proposer, [w.account for w in wishes], method, at))
    if not caps_hold(tx, purse, [w.amount for w in wishes], at):
        return Refusal("over_cap")
    lines = tuple(_line(tx, wish, purse) for wish in wishes)
    strength = _strength(tx, proposer, purse, lines, channel, at, limits)
    digest = digest_of(proposer, purse.payer, purse.confirmer, lines)
    grant_id = purse.grant.grant_id if purse.grant else None
    drafting.supersede(tx, proposer, [w.account for w in wishes], at)
    act = drafting.put(
        tx,
        Draft(
            KIND,
            proposer,
            purse.payer,
            purse.confirmer,
            digest,
            strength,
            channel,
            at,
            until,
            lines,
            grant_id,
        ),
    )
    _note_help(tx, proposer, purse, act, at)
    return Proposed(
        act=act,
        digest=digest,
        strength=strength,
        payer=purse.payer,
        confirmer=purse.confirmer,
        instrument=purse.instrument,
        method=purse.method,
        lines=lines,
        total=Money(sum(line.amount.fen for line in lines)),
        questions=_questions(tx, lines, at),
        payer_relation=purse.relation,
        expires_at=until,
    )


def _line(tx: Tx, wish: LineWish, purse: Purse) -> ActLine:
    kept = kept_quote(tx, wish.quote)
    assert kept is not None
    return ActLine(wish.account, kept.quote.biller, wish.quote, wish.amount, purse.method, purse.instrument)


def _strength(
    tx: Tx,
    proposer: PersonId,
    purse: Purse,
    lines: tuple[ActLine, ...],
    channel: str,
    at: datetime,
    limits: Limits,
) -> Strength:
    if purse.method == "hosted":
        return Strength.KEY  # the payer pays at the rail himself; nothing is collected by this yes
    new = _new_ones(tx, proposer, purse, lines, at)
    if _needs_approval(tx, proposer, purse, new, at, limits):
        return Strength.APPROVAL
    if channel == VOICE and purse.grant is not None and not new:
        return Strength.KEY
    return Strength.CODE


def needs_approval(
    tx: Tx, proposer: PersonId, purse: Purse, lines: tuple[ActLine, ...], at: datetime, limits: Limits
) -> bool:
    """Whether a relative must agree, as it stands at this moment: also asked at the yes, what he slept on may be over."""
    return _needs_approval(tx, proposer, purse, _new_ones(tx, proposer, purse, lines, at), at, limits)


def _new_ones(
    tx: Tx, proposer: PersonId, purse: Purse, lines: tuple[ActLine, ...], at: datetime
) -> list[ActLine]:
    return [line for line in lines if _is_new(tx, proposer, purse.payer, line.account, at)]


def _needs_approval(
    tx: Tx, proposer: PersonId, purse: Purse, new: list[ActLine], at: datetime, limits: Limits
) -> bool:
    # An elder's money to somebody new waits for the family, and anybody's after a swindle was heard of (settled 5).
    careful = bool(new) and (
        people.person(tx, purse.payer).elder or _was_warned(tx, (proposer, purse.payer), at, limits)
    )
    unusual = [line for line in new if careful or line.amount > limits.new_account]
    return not all(_slept_on(tx, proposer, purse, line, at) for line in unusual)


def _was_warned(tx: Tx, concerned: Iterable[PersonId], at: datetime, limits: Limits) -> bool:
    return journal.happened(tx, journal.WARNED, concerned, at - limits.after_warning, at)


def _slept_on(tx: Tx, proposer: PersonId, purse: Purse, line: ActLine, at: datetime) -> bool:
    """He let it stand for a day, and it is his own money: a purse that was lent is not his to wait for."""
    his_own = proposer == purse.payer == purse.confirmer
    return his_own and let_stand.is_ripe(tx, proposer, line.account, line.amount, at)


def _is_new(tx: Tx, proposer: PersonId, payer: PersonId, account: AccountId, at: datetime) -> bool:
    """Never paid by this payer, and not known to the proposer before this talk (settled 5)."""
    if figures.paid_before(tx, payer, account):
        return False
    seen = access.may(tx, proposer, May.BILLS, account, at)
    assert seen is not None, "access was checked when the wish was"
    if seen.reason == "saved":
        return not accounts.is_saved_for(tx, proposer, account, at - THIS_TALK)
    return seen.reason == "talk"


def _note_help(tx: Tx, proposer: PersonId, purse: Purse, act_id: ActId, at: datetime) -> None:
    if purse.confirmer != proposer:
        journal.record(
            tx, kind="started_by_helper", person=purse.confirmer, actor=proposer, subject=act_id, at=at
        )


def _questions(tx: Tx, lines: tuple[ActLine, ...], at: datetime) -> tuple[Question, ...]:
    asked = []
    for line in lines:
        usual = figures.compared_with(line.amount, figures.paid_by_month(tx, line.account), at)
        if usual is not None:
            asked.append(Question("unusual_amount", line.account, usual))
    return tuple(asked)


def wish_refused(
    tx: Tx, proposer: PersonId, wish: LineWish, at: datetime, catalogue: Catalogue
) -> Refusal | None:
    """Why this cannot be paid now, asked when it is proposed and again when it is confirmed; None: it can."""
    if access.may(tx, proposer, May.BILLS, wish.account, at) is None:
        return Refusal("no_permission", account=wish.account)
    held = open_at(tx, wish.account)
    if held is not None:
        return Refusal("previous_unfinished", payment=held.id, account=wish.account)
    kept = kept_quote(tx, wish.quote)
    if kept is None or kept.account != wish.account or kept.expires_at <= at:
        return Refusal("quote_expired", account=wish.account)
    if kept.quote.biller not in catalogue.rows:
        return Refusal("biller_not_in_catalogue", account=wish.account)
    if not kept.quote.prepaid and not kept.quote.due:
        return Refusal("nothing_due", account=wish.account)
    if wish.amount.fen <= 0 or not amount_fits(wish.amount, kept.quote):
        return Refusal("amount_rule", account=wish.account)
    rests = pausing.hindrance(tx, [kept.quote.biller])
    return None if rests is None else Refusal(rests.reason, account=wish.account)


def caps_hold(tx: Tx, purse: Purse, amounts: list[Money], at: datetime) -> bool:
    """Whether these further payments keep to the caps of the grant, money in flight counted."""
    if purse.grant is None:
        return True
    spent = figures.spent_under(tx, purse.grant.grant_id, at)
    return figures.within_caps(amounts, purse.grant.per_payment, purse.grant.per_month, spent)
