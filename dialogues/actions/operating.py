"""Whether paying works: who is to be told when it does, and how it stands now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from data.clock import shanghai
from data.ids import AccountId
from data.model import May, Role
from dialogues.actions.ports import Arguments, Inside, Result, inside
from payments import pausing
from payments.authority import access, people

_LATELY = timedelta(hours=24)
_SCOPES = {
    "zh": {pausing.ALL: "全部", pausing.BILLER: "{subject}", pausing.RAIL: "通道{subject}"},
    "en": {pausing.ALL: "everything", pausing.BILLER: "{subject}", pausing.RAIL: "the rail {subject}"},
}


@inside("action_told_when_ready", "promised not_yet", reads="account_id")
def told_when_ready(room: Inside, slots: Arguments) -> Result:
    """Whether it was promised already: nobody is asked the same twice (L10)."""
    promised = AccountId(slots["account_id"]) in pausing.awaited(room.tx, room.person)
    return Result("promised" if promised else "not_yet")


@inside("action_tell_when_ready", "remembered no_access", reads="account_id")
def tell_when_ready(room: Inside, slots: Arguments) -> Result:
    """Kept in the house's own books: it outlives this talk and this process."""
    account = access.open_account(room.tx, room.person, May.BILLS, AccountId(slots["account_id"]), room.now)
    if account is None:
        return Result("no_access")
    pausing.remember(room.tx, room.person, account.id, account.biller, room.now)
    return Result("remembered")


@inside(
    "action_service_status",
    "fine down paused staff_fine staff_down staff_was_down",
    writes="down_since down_lasting waited waiting_count pauses_list",
)
def service_status(room: Inside, slots: Arguments) -> Result:
    """How it stands; to those who work here also since when, how many wait, and what was stopped by whom."""
    known = people.find(room.tx, room.person)
    outage = pausing.last_outage(room.tx, room.now - _LATELY)
    down = outage is not None and outage.over_at is None
    told = _outage_slots(outage, room) | {"pauses_list": None}
    if known is None or known.role is Role.FAMILY:
        rests = pausing.hindrance(room.tx)
        return Result("down" if down else "paused" if rests is not None else "fine", told)
    told |= {"waiting_count": pausing.waiting_now(room.tx), "pauses_list": _pauses(room)}
    return Result("staff_down" if down else "staff_was_down" if outage is not None else "staff_fine", told)


def _outage_slots(outage: pausing.Outage | None, room: Inside) -> dict[str, Any]:
    if outage is None:
        return {"down_since": None, "down_lasting": None, "waited": None}
    lasting = (outage.over_at or room.now) - outage.since
    since = _clock(outage.since, room.now)
    return {"down_since": since, "down_lasting": _lasting(lasting, room.locale), "waited": outage.waited}


def _clock(at: datetime, now: datetime) -> str:
    """09:05 of today, with the day when it was another one."""
    local = shanghai(at)
    return f"{local:%H:%M}" if local.date() == shanghai(now).date() else f"{local:%m-%d %H:%M}"


def _lasting(span: timedelta, locale: str) -> str:
    minutes = int(span.total_seconds() // 60)
    if locale == "en":
        return "less than a minute" if not minutes else "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes}分钟" if minutes else "不到1分钟"


def _pauses(room: Inside) -> str | None:
    english = room.locale == "en"
    told = []
    for one in pausing.in_force(room.tx):
        what = _SCOPES["en" if english else "zh"][one.scope].format(subject=one.subject)
        since = _clock(one.since, room.now)
        told.append(
            f"{what} since {since}, by {one.by}: {one.reason}"
            if english
            else f"{what}，{since}起，{one.by}：{one.reason}"
        )
    return ("; " if english else "；").join(told) or None


ACTIONS = (told_when_ready, tell_when_ready, service_status)
