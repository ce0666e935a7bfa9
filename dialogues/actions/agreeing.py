"""When another's yes cannot be had, or comes too late: let it stand for a day, ask anew, or end it with one word."""

from __future__ import annotations

from data.clock import is_quiet, next_morning
from data.ids import AccountId, ActId
from data.money import Money
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.consents import bill_slots, instant
from dialogues.naming import named
from payments import approving, calling_off, let_stand
from payments.acts import NoSuchAct

Bills = list[tuple[AccountId, Money]]


@inside(
    "action_let_stand",
    "stands ripe gone",
    reads="act_id joint_wishes account_id amount",
    writes="stands_until bill_name amount",
)
def let_it_stand(room: Inside, slots: Arguments) -> Result:
    """From now on it stands for 24 hours; when that is over, in the night, he is asked in the morning."""
    bills = _meant(room, slots)
    found = let_stand.begin(room.tx, room.person, bills, room.now)
    if not found:
        return Result("gone")
    told = bill_slots(room.tx, room.catalogue, bills, room.locale)
    facts = {name: told[name] for name in ("bill_name", "amount")}
    ripe = max(one.ripe_at for one in found)
    if ripe <= room.now:
        return Result("ripe", facts)
    asked_at = next_morning(ripe) if is_quiet(ripe) else ripe
    return Result("stands", facts | {"stands_until": instant(asked_at, room.locale)})


def _meant(room: Inside, slots: Arguments) -> Bills:
    """The bills of the request nobody answered, of the joint payment, or the one just being paid."""
    if slots.get("act_id"):
        found = room.till.act(room.tx, ActId(str(slots["act_id"])))
        own = room.person == found.proposer == found.payer
        return [(line.account, line.amount) for line in found.lines] if own else []
    if slots.get("joint_wishes"):
        return [(AccountId(account), Money(int(fen))) for account, _, fen in slots["joint_wishes"]]
    return [(AccountId(str(slots["account_id"])), Money(int(slots["amount"])))]


@inside("action_yes_too_late", "own told over", reads="act_id", writes="who again_account")
def yes_too_late(room: Inside, slots: Arguments) -> Result:
    """He agrees after the time was over: with his own purse he goes on himself, else who began it is told and asked anew."""
    try:
        found = approving.too_late(room.tx, ActId(str(slots["act_id"])), room.person, room.now)
    except NoSuchAct:
        found = None
    if found is None:
        return Result("over")
    if room.person == found.payer == found.confirmer and len(found.lines) == 1:
        return Result("own", {"again_account": found.lines[0].account})
    other = found.confirmer if found.confirmer != room.person else found.proposer
    return Result("told", {"who": named(room.tx, room.person, other, room.locale), "again_account": None})


@inside("action_call_off", "ended nothing", writes="bill_name amount")
def call_off(room: Inside, slots: Arguments) -> Result:
    """不弄了, with nothing under way in the talk: what waits for a yes, or for a day to pass, ends."""
    ended = calling_off.waiting(room.tx, room.person, room.now)
    bills: Bills = [(one.account, one.amount) for one in ended.standing]
    for act in ended.acts:
        bills += [(line.account, line.amount) for line in room.till.act(room.tx, act).lines]
    if not bills:
        return Result("nothing")
    told = bill_slots(room.tx, room.catalogue, list(dict(bills).items()), room.locale)
    return Result("ended", {name: told[name] for name in ("bill_name", "amount")})


ACTIONS = (let_it_stand, yes_too_late, call_off)
