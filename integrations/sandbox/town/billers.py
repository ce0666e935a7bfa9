"""The billers' counter: who holds an account, what is payable now, and writing a collected amount off once."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from data.catalogue import UnknownBiller
from data.ids import fresh
from data.model import AmountRule, Biller, Exactness, masked_name
from data.money import Money
from integrations.ports import Reason
from integrations.sandbox.town import faults
from integrations.sandbox.town import tables as t
from integrations.sandbox.town.moment import Moment, Refusal
from integrations.sandbox.wire import (
    BalanceReply,
    BalancesReply,
    BillerReply,
    FindRequest,
    FormReply,
    HintReply,
    HolderReply,
    LineReply,
    MonthReply,
    NumberRequest,
    NumbersRequest,
    OutcomeReply,
    PostRequest,
    QuoteReply,
    RuleReply,
    UsageReply,
    UsageRequest,
)

QUOTE_LIFETIME = timedelta(minutes=15)
_TOP_UP = AmountRule(Exactness.RANGE, Money(1_000), Money(500_000), Money(1_000))


def biller_of(moment: Moment, biller: str) -> Biller:
    """The biller of the catalogue. Raises Refusal: nobody else can be asked or paid."""
    try:
        return moment.book.biller(biller)
    except UnknownBiller:
        raise Refusal(Reason.NOT_PAYABLE_ONLINE, "No such biller.", 404) from None


def biller_reply(biller: Biller) -> BillerReply:
    """A biller as it is published."""
    return BillerReply(
        id=biller.id,
        name=biller.name,
        utility=biller.utility,
        city=biller.city,
        form=form_reply(biller),
        rule=rule_reply(biller.rule),
        prepaid=biller.prepaid,
        can_find_accounts=biller.can_find_accounts,
    )


def form_reply(biller: Biller) -> FormReply:
    """What this biller's account numbers look like."""
    form = biller.form
    return FormReply(
        name=form.name,
        pattern=form.pattern,
        min_digits=form.min_digits,
        max_digits=form.max_digits,
        example=form.example,
        where=form.where,
    )


def rule_reply(rule: AmountRule) -> RuleReply:
    """An amount rule as it is published."""
    return RuleReply(
        exactness=rule.exactness,
        minimum_fen=rule.minimum.fen,
        maximum_fen=rule.maximum.fen,
        step_fen=rule.step.fen,
    )


def find(moment: Moment, biller: str, request: FindRequest) -> tuple[HintReply, ...]:
    """Accounts registered under a telephone number, where the biller offers to look."""
    if not biller_of(moment, biller).can_find_accounts:
        raise Refusal(Reason.CONFIG, "This biller does not look accounts up by telephone number.", 409)
    rows = moment.db.execute(select(t.accounts).where(t.accounts.c.biller == biller)).all()
    return tuple(
        HintReply(number=row.number, holder_masked=masked_name(row.holder))
        for row in rows
        if request.phone in row.phones
    )


def holder(moment: Moment, biller: str, request: NumberRequest) -> HolderReply:
    """For the name check: no amount, no address."""
    return HolderReply(holder_masked=masked_name(_account(moment, biller, request.number).holder))


def quote(moment: Moment, biller: str, request: NumberRequest) -> QuoteReply:
    """What is payable now; the price quoted is the price paid until the quote expires."""
    quoted, row = _quoted(moment, _account(moment, biller, request.number))
    moment.db.execute(insert(t.quotes), row)
    return quoted


def balances(moment: Moment, biller: str, request: NumbersRequest) -> BalancesReply:
    """The same for many accounts; one that has no quote has its reason, and the others have theirs."""
    biller_of(moment, biller)
    theirs = (t.accounts.c.biller == biller) & t.accounts.c.number.in_(request.numbers)
    known = {row.number: row for row in moment.db.execute(select(t.accounts).where(theirs))}
    struck = faults.aimed(moment, biller, request.numbers)
    rows: dict[str, dict[str, Any]] = {}
    replies = tuple(_balance(moment, known.get(n), n, struck.get(n), rows) for n in request.numbers)
    if rows:
        moment.db.execute(insert(t.quotes), list(rows.values()))
    return BalancesReply(biller=biller, rows=replies)


def _balance(
    moment: Moment, account: Row[Any] | None, number: str, struck: Reason | None, rows: dict[str, Any]
) -> BalanceReply:
    if struck is not None:
        return BalanceReply(number=number, reason=struck)
    if account is None:
        return BalanceReply(number=number, reason=Reason.ACCOUNT_NOT_FOUND)
    try:
        quoted, row = _quoted(moment, account)
    except Refusal as refusal:
        return BalanceReply(number=number, reason=refusal.reason)
    rows[quoted.id] = row
    return BalanceReply(number=number, quote=quoted)


def _quoted(moment: Moment, account: Row[Any]) -> tuple[QuoteReply, dict[str, Any]]:
    """A quote as it is told and as it is kept. Raises Refusal."""
    if account.ic_card:
        raise Refusal(Reason.IC_CARD_REQUIRED, "This meter is topped up with its card at a machine.", 409)
    lines = _lines(moment, account)
    prepaid = account.balance is not None
    quoted = QuoteReply(
        id=fresh("quote"),
        biller=account.biller,
        holder_masked=masked_name(account.holder),
        due_fen=0 if prepaid else sum(line.amount_fen for line in lines),
        lines=lines,
        rule=rule_reply(_rule(moment, account)),
        expires_at=moment.now + QUOTE_LIFETIME,
        due_date=None if prepaid else account.due_date,
        balance_fen=account.balance,
        daily_use_fen=account.daily_use,
    )
    fee = sum(line.amount_fen for line in lines if line.kind == "late_fee")
    kept = {
        "id": quoted.id,
        "account": account.id,
        "version": account.version,
        "due": quoted.due_fen,
        "fee": fee,
        "expires_at": quoted.expires_at,
    }
    return quoted, kept


def usage(moment: Moment, biller: str, request: UsageRequest) -> UsageReply:
    """The last whole months before today, where this biller keeps them."""
    account = _account(moment, biller, request.number)
    if not account.usage:
        raise Refusal(Reason.CONFIG, "This biller tells nothing of earlier months.", 409)
    this = moment.today.date().replace(day=1)
    first = (this.year * 12 + this.month - 1) - request.months
    told = {date.fromisoformat(month): fen for month, fen in account.usage.items()}
    wanted = [m for m in sorted(told) if m < this and m.year * 12 + m.month - 1 >= first]
    return UsageReply(months=tuple(MonthReply(month=m, used_fen=told[m]) for m in wanted))


# The door was shut, or the number is another posting's: nothing was said of this order.
_NO_REFUSAL = frozenset(
    {Reason.BILLER_CLOSED, Reason.BILLER_DOWN, Reason.RATE_LIMITED, Reason.DUPLICATE_NUMBER}
)


def post(
    moment: Moment, biller: str, request: PostRequest, withhold: bool = False, verdict: Reason | None = None
) -> OutcomeReply:
    """Write an amount off, once per order for ever. A refusal is final for its quote; the order may come with a fresh one.

    `verdict` is a reason to refuse before anything is looked at.
    """
    said = _refused_before(moment, request)
    if said is not None:
        raise said
    try:
        if verdict is not None:
            raise Refusal(verdict, "This biller takes no payments now.", 409)
        return _post(moment, biller, request, withhold)
    except Refusal as refusal:
        if refusal.reason not in _NO_REFUSAL:
            refusal.keep = partial(_remember, request=request, refusal=refusal)
        raise


def _refused_before(moment: Moment, request: PostRequest) -> Refusal | None:
    same = (t.refused_posts.c.order == request.order) & (t.refused_posts.c.quote == request.quote)
    row = moment.db.execute(select(t.refused_posts).where(same)).first()
    return None if row is None else Refusal(Reason(row.reason), row.message, row.status)


def _remember(moment: Moment, request: PostRequest, refusal: Refusal) -> None:
    said = {"reason": refusal.reason.value, "message": refusal.message, "status": refusal.status}
    moment.db.execute(insert(t.refused_posts).values(order=request.order, quote=request.quote, **said))


def _post(moment: Moment, biller: str, request: PostRequest, withhold: bool) -> OutcomeReply:
    account = _account(moment, biller, request.number)
    known = moment.db.execute(select(t.posts).where(t.posts.c.order == request.order)).first()
    if known is not None:
        if (known.account, known.amount) != (account.id, request.amount_fen):
            raise Refusal(Reason.DUPLICATE_NUMBER, "This order was posted with other content.", 409)
        return _outcome(known)
    quoted = _valid_quote(moment, account, request.quote)
    _check_amount(moment, account, quoted, request.amount_fen)
    moment.db.execute(
        insert(t.posts).values(
            order=request.order,
            biller=biller,
            account=account.id,
            amount=request.amount_fen,
            fee=quoted.fee,
            state="pending",
            reference=fresh("wo"),
            at=moment.now,
        )
    )
    if not withhold and _acks(moment, account) == "immediate":
        acknowledge(moment, request.order)
    return post_status(moment, biller, request.order)


def post_status(moment: Moment, biller: str, order: str) -> OutcomeReply:
    """What became of a posting; an order never accepted is not found."""
    biller_of(moment, biller)
    row = moment.db.execute(
        select(t.posts).where(t.posts.c.order == order, t.posts.c.biller == biller)
    ).first()
    return _outcome(row) if row else OutcomeReply(number=order, state="not_found")


def acknowledge(moment: Moment, order: str) -> None:
    """The biller writes a pending posting off: the meter's balance rises, or the bill shrinks."""
    row = moment.db.execute(select(t.posts).where(t.posts.c.order == order)).one()
    account = moment.db.execute(select(t.accounts).where(t.accounts.c.id == row.account)).one()
    if account.balance is not None:
        change: dict[str, Any] = {"balance": account.balance + row.amount}
    else:
        rest = max(0, account.due + row.fee - row.amount)
        since = moment.today.date() if rest and row.fee else account.late_since
        change = {"due": rest, "late_since": since, "version": account.version + 1}
    moment.db.execute(update(t.accounts).where(t.accounts.c.id == account.id).values(**change))
    moment.db.execute(update(t.posts).where(t.posts.c.order == order).values(state="settled", at=moment.now))


def pending_posting(moment: Moment, account: str, amount: int) -> str | None:
    """The oldest order of this account and amount that waits for its acknowledgement."""
    wanted = (t.posts.c.account == account) & (t.posts.c.amount == amount) & (t.posts.c.state == "pending")
    row = moment.db.execute(select(t.posts.c.order).where(wanted).order_by(t.posts.c.at)).first()
    return row[0] if row else None


def _account(moment: Moment, biller: str, number: str) -> Row[Any]:
    biller_of(moment, biller)
    row = moment.db.execute(
        select(t.accounts).where(t.accounts.c.biller == biller, t.accounts.c.number == number)
    ).first()
    if row is None:
        raise Refusal(Reason.ACCOUNT_NOT_FOUND, "This biller knows no account of that number.", 404)
    return row


def _rule(moment: Moment, account: Row[Any]) -> AmountRule:
    """The biller's rule; an account that differs from its biller's kind gets the common rule of its own kind."""
    biller = moment.book.biller(account.biller)
    if biller.prepaid == (account.balance is not None):
        return biller.rule
    return AmountRule(Exactness.EXACT) if biller.prepaid else _TOP_UP


def _lines(moment: Moment, account: Row[Any]) -> tuple[LineReply, ...]:
    if account.balance is not None:
        return (LineReply(kind="balance", amount_fen=account.balance),)
    if account.due == 0:
        return ()
    arrears = LineReply(kind="arrears", amount_fen=account.due)
    utility, since = moment.book.biller(account.biller).utility, account.late_since or account.due_date
    fee = moment.book.late_fee(utility, Money(account.due), since, moment.today.date()) if since else None
    if fee is None:
        return (arrears,)
    late = LineReply(
        kind="late_fee",
        amount_fen=fee.amount.fen,
        days=fee.days,
        rate=fee.rate,
        rule_version=fee.rule_version,
    )
    return (arrears, late)


def _valid_quote(moment: Moment, account: Row[Any], quote_id: str) -> Row[Any]:
    row = moment.db.execute(
        select(t.quotes).where(t.quotes.c.id == quote_id, t.quotes.c.account == account.id)
    ).first()
    if row is None or row.expires_at <= moment.now:
        raise Refusal(Reason.QUOTE_EXPIRED, "This quote is not valid any more; ask for a new one.", 409)
    if account.balance is None and account.due == 0:
        raise Refusal(Reason.NOTHING_DUE, "Nothing is due on this account.", 409)
    if row.version != account.version:
        raise Refusal(Reason.BILL_CHANGED, "The bill has changed since it was quoted.", 409)
    return row


def _check_amount(moment: Moment, account: Row[Any], quoted: Row[Any], amount: int) -> None:
    """The amount must fit the rule and what postings still under way leave of the bill."""
    rule = _rule(moment, account)
    if account.balance is not None:
        fits = rule.minimum.fen <= amount <= rule.maximum.fen and amount % rule.step.fen == 0
    else:
        under_way = _under_way(moment, account)
        if under_way and quoted.due - under_way < amount:
            raise Refusal(Reason.BILL_CHANGED, "Another payment of this bill is being written off.", 409)
        least = quoted.due if rule.exactness is Exactness.EXACT else min(rule.minimum.fen, quoted.due)
        fits = least <= amount <= quoted.due
    if not fits:
        raise Refusal(Reason.AMOUNT_RULE, "This biller does not take that amount.", 422)


def _under_way(moment: Moment, account: Row[Any]) -> int:
    wanted = (t.posts.c.account == account.id) & (t.posts.c.state == "pending")
    return int(moment.db.scalar(select(func.coalesce(func.sum(t.posts.c.amount), 0)).where(wanted)) or 0)


def _acks(moment: Moment, account: Row[Any]) -> str:
    if account.acks != "default":
        return str(account.acks)
    return str(moment.db.execute(select(t.clock.c.acks)).scalar_one())


def _outcome(row: Row[Any]) -> OutcomeReply:
    if row.state == "pending":
        return OutcomeReply(number=row.order, state="pending")
    return OutcomeReply(
        number=row.order, state="settled", reference=row.reference, amount_fen=row.amount, at=row.at
    )
