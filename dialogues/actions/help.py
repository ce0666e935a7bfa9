"""Bringing a person, saying what can be done here, and keeping how somebody wants to be served."""

from __future__ import annotations

from dataclasses import replace

from data.ids import PersonId
from data.model import Role, masked_name
from data.money import Money
from data.store import journal, letters
from dialogues.actions.ports import Arguments, Inside, Result, inside
from payments.authority import people


@inside("action_open_ticket", "coming callback", reads="reason", writes="ahead reason")
def open_ticket(room: Inside, slots: Arguments) -> Result:
    """A ticket now, and news to everybody who helps (L3: a person or a ticket in one turn)."""
    reason = str(slots.get("reason") or "asked")
    by_phone = reason == "silence"
    ahead = len([t for t in letters.tickets_waiting(room.tx) if t.person != room.person])
    ticket = letters.open_ticket(
        room.tx,
        kind="callback" if by_phone else "human",
        person=room.person,
        reason=reason,
        summary=_summary(room),
        at=room.now,
    )
    journal.record(
        room.tx, kind="handoff_started", person=room.person, actor=room.person, subject=ticket, at=room.now
    )
    _tell_staff(room, ticket)
    return Result("callback" if by_phone else "coming", {"ahead": ahead, "reason": None})


def _summary(room: Inside) -> str:
    """What was being done, and about which bill, as far as it was said: nobody has to tell it all again."""
    names = [room.release.flows[f.flow].name.get("zh", f.flow) for f in room.conversation.stack]
    done = " / ".join(n for n in dict.fromkeys(names) if n != "找人工")
    return " ".join(part for part in (done, *_bill(room)) if part)


def _bill(room: Inside) -> list[str]:
    """The bill of the business below: its name, the end of its number, the amount that stands in the talk."""
    shelves = [frame.context["shelf"] for frame in room.conversation.stack if "shelf" in frame.context]
    held = shelves[-1] if shelves else {}
    tail, amount = held.get("tail"), held.get("amount")
    return [
        str(held.get("bill_name") or ""),
        f"尾号{tail}" if tail else "",
        str(Money(amount)) if type(amount) is int else "",
    ]


def _tell_staff(room: Inside, ticket: str) -> None:
    who = people.find(room.tx, room.person)
    large = room.conversation.preferences.large or (who is not None and who.low_sight)
    note = "要用大字,视力不好。" if large else None
    for helper in people.of_role(room.tx, Role.OPERATOR):
        letters.put_news(
            room.tx,
            id=f"handoff:{ticket}:{helper.id}",
            person=helper.id,
            kind="handoff",
            body={
                "who": masked_name(who.name) if who else "一位还没登记的人",
                "note": note,
                "ticket": ticket,
                "person": PersonId(room.person),
            },
            at=room.now,
        )


# What most homes come for; the rest is found by saying it, and a list of seventeen is read by nobody.
_FIRST_TOLD = ("check_balance", "pay_bill", "pay_joint", "set_mandate", "look_back", "invite", "human_help")


@inside("action_capabilities", "told", writes="can_list")
def capabilities(room: Inside, slots: Arguments) -> Result:
    """What can be done, read from the running flows, so that it cannot be wrong."""
    offered = [room.release.flows[name] for name in _FIRST_TOLD if name in room.release.flows]
    names = [f.name.get(room.locale) or f.name.get("zh", f.id) for f in offered]
    joined = "、".join(names) if room.locale == "zh" else ", ".join(names)
    return Result("told", {"can_list": joined})


@inside("action_set_preference", "kept", reads="preference")
def set_preference(room: Inside, slots: Arguments) -> Result:
    """Keeps the wish; it lasts across talks and channels."""
    now = room.conversation.preferences
    wish = slots["preference"]
    changed = {
        "bigger": replace(now, large=True),
        "smaller": replace(now, large=False),
        "slower": replace(now, rate=max(0.55, round(now.rate - 0.15, 2))),
        "english": replace(now, locale="en"),
        "chinese": replace(now, locale="zh"),
        "voice": replace(now, voice_reply=True),
    }[wish]
    return Result("kept", preferences=changed)


ACTIONS = (open_ticket, capabilities, set_preference)
