"""What an auditor is told: the chain of a payment in short lines, whether it comes out the same again, and a sample of talks."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from data.clock import shanghai
from data.ids import PaymentId
from dialogues import responses, sampling
from dialogues.actions.ports import Arguments, Inside, Result, bill_name, inside
from dialogues.model import Say
from dialogues.relations import channel_word
from nlu import auditing
from nlu.dates import Month
from payments import replaying, tracing
from payments.states import NoSuchPayment
from payments.tracing import Link, Trace

_MOST = 5  # payments told at once


@inside(
    "action_audit_trace",
    "told none which not_yours",
    reads="audit_words",
    writes="trace_text audit_payments",
)
def trace(room: Inside, slots: Arguments) -> Result:
    """The payments somebody asks about, the automatic ones first, each with what it rests on."""
    if not tracing.allowed(room.tx, room.person):
        return Result("not_yours")
    words = str(slots.get("audit_words") or "")
    asked = auditing.asked_about(words, shanghai(room.now).date())
    if asked.payment is None and asked.day is None:
        return Result("which")
    found = _found(room, asked, words)
    if not found:
        return Result("none")
    told = [_told(room, n, one) for n, one in enumerate(found, start=1)]
    return Result("told", {"trace_text": "\n".join(told), "audit_payments": [one.payment for one in found]})


def _found(room: Inside, asked: auditing.Asked, words: str) -> list[Trace]:
    if asked.payment is not None:
        ids = [PaymentId(asked.payment)]
    else:
        assert asked.day is not None
        utility = asked.utility.value if asked.utility else None
        ids = tracing.on_day(room.tx, asked.day, words, amount=asked.amount, utility=utility)[:_MOST]
    try:
        return [tracing.trace(room.tx, payment, room.person, room.now) for payment in ids]
    except NoSuchPayment:
        return []


# --- the chain in words ---------------------------------------------------------------------------------------------


def _told(room: Inside, n: int, one: Trace) -> str:
    return "\n".join([_head(room, n, one), *_grounds(room, one), *_course(room, one), _verdict(room, one)])


def _head(room: Inside, n: int, one: Trace) -> str:
    name = bill_name(room.catalogue, one.utility, room.locale)
    yes = one.first("yes")
    written = one.first("written")
    return _words(
        room,
        "utter_trace_auto" if one.by_itself else "utter_trace_own",
        tr_n=n,
        tr_when=_when(written),
        tr_amount=one.amount.fen,
        tr_account=f"{one.holder_masked} {name} *{one.tail}",
        tr_payer=one.payer_name,
        tr_who=str(yes.facts["name"]) if yes else "?",
    )


def _grounds(room: Inside, one: Trace) -> Iterator[str]:
    if link := one.first("consent"):
        marks = {"tr_hash": str(link.facts["hash"])[:12], "tr_words": _flat(link.facts["words"])}
        yield _words(room, "utter_trace_consent", **_said(room, link), **marks)
    if link := one.first("yes"):
        factor = link.facts["factor"] or "key"
        yield _words(room, "utter_trace_yes", **_said(room, link, one.first("act")), tr_factor=factor)
    if link := one.first("approval"):
        yield _words(room, "utter_trace_approval", **_said(room, link))
    if link := one.first("reading"):
        facts = {"tr_balance": link.facts["balance_fen"], "tr_below": link.facts["below_fen"]}
        yield _words(room, "utter_trace_reading", tr_when=_when(link), **facts)
    if link := one.first("announced"):
        yield _words(room, "utter_trace_announced", tr_when=_when(link), tr_amount=link.facts["fen"])
    caps = one.first("caps")
    if caps is not None and None not in (caps.facts["per_charge_fen"], caps.facts["per_month_fen"]):
        yield _words(
            room,
            "utter_trace_caps",
            tr_once=caps.facts["per_charge_fen"],
            tr_month=caps.facts["per_month_fen"],
            tr_spent=_yuan(room, caps.facts["spent_before_fen"]),
        )


def _said(room: Inside, link: Link, decided: Link | None = None) -> dict[str, Any]:
    return {
        "tr_who": str(link.facts["name"]),
        "tr_when": _when(link if link.at else decided),
        "tr_how": channel_word(str(link.facts["channel"]), room.locale),
        "tr_row": link.row,
    }


def _course(room: Inside, one: Trace) -> Iterator[str]:
    number = str((one.first("written") or one.links[0]).facts["number"])
    if link := one.first("captured"):
        yield _words(room, "utter_trace_rail", tr_number=number, tr_when=_when(link))
    else:
        yield _words(room, "utter_trace_rail_open", tr_number=number)
    if link := one.first("posted"):
        reference = str(link.facts["post_reference"] or "-")
        yield _words(room, "utter_trace_posting", tr_when=_when(link), tr_ref=reference)
    else:
        yield _words(room, "utter_trace_posting_open")
    if link := one.first("refunded"):
        number = str(link.facts["refund_number"] or "-")
        yield _words(room, "utter_trace_refund", tr_number=number, tr_when=_when(link))
    names = dict.fromkeys(str(link.facts["name"]) for link in one.links if link.step == "notice")
    if names:
        yield _words(room, "utter_trace_told", tr_names=_comma(room).join(names))


def _verdict(room: Inside, one: Trace) -> str:
    if one.whole:
        return _words(room, "utter_trace_whole")
    parts = dict.fromkeys(gap.part for gap in one.gaps)
    named = [_words(room, "utter_trace_part", tr_part=part) for part in parts]
    return _words(room, "utter_trace_gaps", tr_gaps=_comma(room).join(named))


def _when(link: Link | None) -> str:
    return shanghai(link.at).strftime("%Y-%m-%d %H:%M:%S") if link is not None and link.at else "?"


def _flat(words: str | None) -> str:
    return " ".join((words or "?").split())


def _yuan(room: Inside, fen: int) -> str:
    """Also nothing is an amount here: 0 of 300."""
    yuan = f"{fen // 100}.{fen % 100:02d}"
    return f"{yuan} yuan" if room.locale == "en" else f"{yuan}元"


def _comma(room: Inside) -> str:
    return ", " if room.locale == "en" else "、"


def _words(room: Inside, response: str, **values: Any) -> str:
    return responses.render(room.release, Say(response, values), room.conversation, room.facts)[0].text


# --- once more ------------------------------------------------------------------------------------------------------


@inside(
    "action_audit_replay",
    "same differs nothing not_yours",
    reads="audit_payments",
    writes="tr_n tr_names tr_gaps",
)
def replay(room: Inside, slots: Arguments) -> Result:
    """Everything traced last is decided once more, by the same rules on the rows of then."""
    if not tracing.allowed(room.tx, room.person):
        return Result("not_yours")
    ids = [PaymentId(str(payment)) for payment in slots.get("audit_payments") or ()]
    if not ids:
        return Result("nothing")
    same: list[str] = []
    others: list[str] = []
    for payment in ids:
        held = tracing.note(room.tx, payment, room.person, room.now)
        again = replaying.replay(room.tx, payment, room.till.limits, room.catalogue)
        when = _instant(held.created_at)
        line = _words(room, "utter_replay_line", tr_when=when, tr_amount=held.amount.fen)
        (same if again.same else others).append(line)
    comma = _comma(room)
    told = {"tr_n": len(ids), "tr_names": comma.join(same) or None, "tr_gaps": comma.join(others) or None}
    return Result("differs" if others else "same", told)


def _instant(at: datetime) -> str:
    return shanghai(at).strftime("%Y-%m-%d %H:%M:%S")


# --- a sample -------------------------------------------------------------------------------------------------------


@inside(
    "action_audit_sample",
    "drawn none not_yours",
    reads="audit_words",
    writes="sample_count sample_of sample_month sample_seed sample_turns sample_handed sample_repaired sample_mark",
)
def sample(room: Inside, slots: Arguments) -> Result:
    """So many talks of a month, by a seed that draws them again; the talks themselves are fetched by the command."""
    if not tracing.allowed(room.tx, room.person):
        return Result("not_yours")
    words = str(slots.get("audit_words") or "")
    wish = auditing.drawn_from(words, shanghai(room.now).date())
    month = wish.month
    # Without a word about it the seed is the month: whoever asks again gets the same talks.
    seed = month.year * 100 + month.month if wish.seed is None else wish.seed
    first = date(month.year, month.month, 1)
    drawn = sampling.draw(room.tx, first, wish.count, seed, room.person, room.now)
    told: dict[str, Any] = {"sample_month": _month(room, month), "sample_seed": str(seed)}
    if not drawn.talks:
        return Result("none", told)
    talks = drawn.talks
    return Result(
        "drawn",
        told
        | {
            "sample_count": len(talks),
            "sample_of": drawn.of,
            "sample_turns": f"{sum(talk.turns for talk in talks) / len(talks):.1f}",
            "sample_handed": str(sum(talk.handoff for talk in talks)),
            "sample_repaired": str(sum(talk.repairs > 0 for talk in talks)),
            "sample_mark": drawn.digest[:12],
        },
    )


def _month(room: Inside, month: Month) -> str:
    return (
        f"{month_name[month.month]} {month.year}" if room.locale == "en" else f"{month.year}年{month.month}月"
    )


ACTIONS = (trace, replay, sample)
