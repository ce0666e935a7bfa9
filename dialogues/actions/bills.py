"""Looking at a bill and getting it ready to be paid; the paying itself belongs to the till."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from data.ids import AccountId, ActId, QuoteId
from data.model import BillLine, Exactness, May, Quote
from data.money import Money
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from dialogues.results import payment_slots
from payments.authority import access
from payments.quoting import Quoted, amount_fits, kept_quote

_SPOKEN_OF = timedelta(minutes=30)  # longer ago, and the person is asked which bill he means


@outside(
    "action_quote_bill",
    "due prepaid nothing_due ic_card trouble",
    reads="account_id",
    writes="quote prepaid due arrears late_fee late_days late_rate late_rule due_date balance days_left holder biller_name trouble "
    "last_account last_utility last_at",
    reads_others=True,
)
async def quote_bill(room: Outside, slots: Arguments) -> Result:
    """Asks the biller what is open now; the price quoted is the price paid."""
    answer = await room.quoting.quote(room.person, AccountId(slots["account_id"]))
    if not isinstance(answer, Quoted):
        outcome = "ic_card" if answer.reason == "ic_card_required" else "trouble"
        return Result(
            "nothing_due" if answer.reason == "nothing_due" else outcome, {"trouble": answer.reason}
        )
    quote = answer.quote
    outcome = "prepaid" if quote.prepaid else "due" if quote.due else "nothing_due"
    biller = room.catalogue.biller(quote.biller).name[room.locale]
    spoken_of = {
        "last_account": answer.account.id,
        "last_utility": answer.account.utility.value,
        "last_at": room.clock.now().isoformat(),
    }
    return Result(outcome, {"biller_name": biller, **quote_slots(quote), **spoken_of})


def quote_slots(quote: Quote) -> dict[str, Any]:
    """A quote as slots: money in fen, the late fee apart from the arrears."""
    late, arrears = _line(quote, "late_fee"), _line(quote, "arrears")
    return {
        "quote": quote.id,
        "prepaid": quote.prepaid,
        "holder": quote.holder_masked,
        "due": quote.due.fen,
        "arrears": arrears.amount.fen if arrears else quote.due.fen,
        "late_fee": late.amount.fen if late and late.amount else None,
        "late_days": late.days if late else None,
        "late_rate": late.rate if late else None,
        # A rule is told by the day since which it is so (late_fee.electricity.resident@1996-10-08).
        "late_rule": (late.rule_version.rpartition("@")[2] or None) if late else None,
        "due_date": quote.due_date.isoformat() if quote.due_date else None,
        "balance": quote.balance.fen if quote.balance is not None else None,
        "days_left": quote.days_left,
    }


def _line(quote: Quote, kind: str) -> BillLine | None:
    return next((line for line in quote.lines if line.kind == kind), None)


@inside(
    "action_same_again",
    "unfinished known none",
    reads="utility account relation person_name account_id last_account last_at again_account",
    writes="account_id utility bill_name biller_name tail holder again_account",
)
def same_again(room: Inside, slots: Arguments) -> Result:
    """Nothing named: 再付一次 means the payment whose result is open, 充一百 the account just spoken of."""
    if slots.get("again_account"):  # one that is quoted anew: a yes came too late, or a day had to pass
        return _known(room, AccountId(str(slots["again_account"])))
    if any(slots.get(name) for name in ("utility", "account", "relation", "person_name", "account_id")):
        return Result("none")
    recent = room.till.payments_of(room.tx, room.person)
    unfinished = next((p for p in recent if p.told in ("checking", "waiting_payer")), None)
    if unfinished is not None:
        return Result("unfinished", {"account_id": unfinished.account})
    return _just_spoken_of(room, slots)


@inside(
    "action_last_paid",
    "known none",
    reads="",
    writes="account_id utility bill_name biller_name tail holder again_account amount",
)
def last_paid(room: Inside, slots: Arguments) -> Result:
    """跟上次一样: the bill paid last, a meter with the same amount; what it costs now is read back before any yes."""
    paid = next((p for p in room.till.payments_of(room.tx, room.person) if p.told == "paid"), None)
    if paid is None:
        return Result("none")
    found = _known(room, paid.account)
    if found.outcome != "known":
        return Result("none")
    meter = room.catalogue.biller(paid.biller).prepaid
    return Result("known", {**found.slots, "amount": paid.amount.fen if meter else None})


def _just_spoken_of(room: Inside, slots: Arguments) -> Result:
    since = slots.get("last_at")
    if not since or room.now - datetime.fromisoformat(since) > _SPOKEN_OF:
        return Result("none")
    return _known(room, AccountId(slots["last_account"]))


def _known(room: Inside, account_id: AccountId) -> Result:
    account = access.open_account(room.tx, room.person, May.BILLS, account_id, room.now)
    if account is None:
        return Result("none", {"again_account": None})
    return Result(
        "known",
        {
            "again_account": None,
            "account_id": account.id,
            "utility": account.utility.value,
            "bill_name": bill_name(room.catalogue, account.utility, room.locale),
            "biller_name": room.catalogue.biller(account.biller).name[room.locale],
            "tail": account.tail,
            "holder": account.holder_masked,
        },
    )


@inside(
    "action_check_open_payment",
    "free unfinished unfinished_again link_open",
    reads="account_id unfinished_asked",
    writes="amount unfinished_asked link payment",
)
def check_open_payment(room: Inside, slots: Arguments) -> Result:
    """An unfinished payment of this account is told, never doubled; asking again gets another answer (L1, L10)."""
    held = room.till.open_payment(room.tx, AccountId(slots["account_id"]))
    if held is None:
        return Result("free", {"unfinished_asked": 0})
    facts: dict[str, Any] = {"amount": held.amount.fen, "payment": held.id}
    if held.told == "waiting_payer" and held.payer == room.person:
        return Result("link_open", facts | {"link": held.hosted_url})
    times = int(slots.get("unfinished_asked") or 0)
    return Result("unfinished_again" if times else "unfinished", facts | {"unfinished_asked": times + 1})


@inside(
    "action_check_amount",
    "fits no_part more_than_due rule",
    reads="amount quote due prepaid",
    writes="amount remaining least most step",
)
def check_amount(room: Inside, slots: Arguments) -> Result:
    """Whether the biller takes this amount; 全付 and no amount at all mean what is due."""
    kept = kept_quote(room.tx, QuoteId(slots["quote"]))
    assert kept is not None, "the quote was kept when it was told"
    quote, said = kept.quote, slots.get("amount")
    amount = quote.due if said in (None, "all") else Money(int(said))
    limits = {
        "least": quote.rule.minimum.fen,
        "most": quote.rule.maximum.fen,
        "step": quote.rule.step.fen,
    }
    if amount_fits(amount, quote):
        rest = quote.due - amount
        return Result(
            "fits", limits | {"amount": amount.fen, "remaining": rest.fen if rest.fen > 0 else None}
        )
    if quote.prepaid:
        return Result("rule", limits)
    if amount > quote.due:
        return Result("more_than_due", limits)
    return Result("no_part" if quote.rule.exactness is Exactness.EXACT else "rule", limits)


@inside(
    "action_recall_act",
    "captured posted refused checking waiting_payer nothing done",
    reads="act_id recall_at",
    writes="recall_at amount payment bill_name biller_name prepaid holder tail reason link",
)
def recall_act(room: Inside, slots: Arguments) -> Result:
    """What became of an act whose button is pressed again, bill by bill: the stored outcome, never a second payment."""
    paid, at = room.till.act(room.tx, ActId(slots["act_id"])).payments, int(slots.get("recall_at") or 0)
    if at >= len(paid):
        return Result("done" if paid else "nothing")
    view = room.till.outcome(room.tx, paid[at])
    outcome = {"paid": "posted" if view.posted_at else "captured"}.get(view.told, view.told)
    return Result(outcome, payment_slots(view, room.catalogue, room.locale) | {"recall_at": at + 1})


ACTIONS = (quote_bill, same_again, last_paid, check_open_payment, check_amount, recall_act)
