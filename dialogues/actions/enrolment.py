"""Becoming known in the talk: the telephone number, its code, the name, the PIN; and a number that has changed."""

from __future__ import annotations

import re

from data.ids import PersonId
from data.store import letters
from dialogues import codes, wire
from dialogues.actions.ports import Arguments, Inside, Result, inside
from dialogues.model import Said
from dialogues.saying import plain
from payments.authority import enrolling, factors, people
from payments.authority.enrolling import Enrolled, PhoneProblem
from payments.authority.factors import FactorPassed, FactorWrong

ADDED = "address_added"
_CODES_GONE = {"new_pin": None, "pin_repeated": None}

_BEFORE_NAME = re.compile(
    r"^(?:嗯|啊|哦|好的?)*[,，]?\s*(?:我(?:的)?(?:名字|姓名)?(?:就)?(?:叫做|叫|是|姓)|名字(?:是|叫)|叫)|^(?:my name is|i am|i'm|it is|it's|call me)\s+",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile("(?:啊|呀|呢|哦|吧)?[。.!！,，]*$")
_CHINESE = re.compile("[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,6}·[\u4e00-\u9fff]{1,8}")
_LATIN = re.compile(r"[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,3}", re.IGNORECASE)
# What people say instead of a name at this question; none of it is anybody's.
_NO_NAME = re.compile(
    "[交缴付查充]|[电水]费|燃气|密码|号码|为什么|怎么|不知道|登记|谁|吗|什么|\\b(?:pay|bill|why|how|what|no|yes|ok)\\b"
)


@inside("action_begin_enrolment", "new known")
def begin_enrolment(room: Inside, slots: Arguments) -> Result:
    """Whether there is anything to enrol: who is known already has nothing to do here."""
    return Result("new" if people.find(room.tx, room.person) is None else "known")


@inside("action_send_phone_code", "sent no_number enough", reads="enrol_phone", writes="enrol_phone")
def send_phone_code(room: Inside, slots: Arguments) -> Result:
    """A code to the number he names; the words are the same whether the number is known here or not."""
    sent = enrolling.send_code(room.tx, room.person, str(slots["enrol_phone"]), room.now)
    gone = {"enrol_phone": None}
    if isinstance(sent, PhoneProblem):
        return Result(sent.value, gone)
    text = plain(
        room.release, "utter_code_message_phone", {"code": "{code}"}, room.conversation, room.facts
    ).replace("{code}", sent.code)
    _to_phone(room, codes.SMS, "utter_code_message", text)
    return Result("sent", gone)


def _to_phone(room: Inside, road: str, response: str, text: str) -> None:
    said = Said(response=response, text=text, to_channel=road)
    letters.put_letter(
        room.tx,
        person=room.person,
        channel=road,
        body=wire.dump_said(said),
        cause=room.event_id,
        at=room.now,
    )


@inside("action_check_phone_code", "passed wrong over", reads="enrol_code", writes="enrol_code")
def check_phone_code(room: Inside, slots: Arguments) -> Result:
    """Whether the code is the one that went to the number."""
    checked = enrolling.check_code(room.tx, room.person, str(slots["enrol_code"]), room.now)
    outcome = (
        "passed"
        if isinstance(checked, FactorPassed)
        else "wrong"
        if isinstance(checked, FactorWrong)
        else "over"
    )
    return Result(outcome, {"enrol_code": None})


@inside("action_take_name", "known new unclear", reads="enrol_name", writes="enrol_name")
def take_name(room: Inside, slots: Arguments) -> Result:
    """The name as it was said. Whoever of this name is reached at the proven number has one more address now."""
    name = name_of(str(slots["enrol_name"]))
    if name is None:
        return Result("unclear", {"enrol_name": None})
    known = enrolling.link_known(room.tx, room.person, room.facts.channel, name, room.now)
    if known is None:
        return Result("new", {"enrol_name": name})
    _tell_everywhere(room, known)
    return Result("known", {"enrol_name": None})


def name_of(text: str) -> str | None:
    """我叫王芳 → 王芳, i'm anna smith → Anna Smith; None when it is nobody's name."""
    said = _AFTER_NAME.sub("", _BEFORE_NAME.sub("", text.strip())).strip()
    if _NO_NAME.search(said):
        return None
    if _CHINESE.fullmatch(said):
        return said
    return said.title() if _LATIN.fullmatch(said) and 2 <= len(said) <= 40 else None


def _tell_everywhere(room: Inside, person: PersonId) -> None:
    """He is greeted where he is now, and told wherever else he is reached: a stranger may have done it."""
    here, body = room.facts.channel, {"who": person, "on_channel": room.facts.channel}
    letters.put_news(
        room.tx, id=f"{ADDED}:{room.event_id}", person=person, kind=ADDED, body=body, at=room.now
    )
    text = plain(room.release, "utter_address_added_elsewhere", {}, room.conversation, room.facts)
    known = {a.channel for a in people.addresses_of(room.tx, person)} - {here, "voice", enrolling.BEFORE}
    for channel in sorted(known):
        said = Said(response="utter_address_added_elsewhere", text=text, to_channel=channel)
        letters.put_letter(
            room.tx,
            person=person,
            channel=channel,
            body=wire.dump_said(said),
            cause=room.event_id,
            at=room.now,
        )


@inside("action_check_first_pin", "fits weak", reads="new_pin")
def check_first_pin(room: Inside, slots: Arguments) -> Result:
    """Whether the PIN may be taken from a newcomer, before he types it a second time."""
    problem = enrolling.pin_problem(room.tx, room.person, str(slots["new_pin"]), room.now)
    return Result("weak" if problem else "fits")


@inside(
    "action_enrol",
    "enrolled weak differs late",
    reads="enrol_name new_pin pin_repeated",
    writes="new_pin pin_repeated",
)
def enrol(room: Inside, slots: Arguments) -> Result:
    """Enrols him when both entries agree; the PIN leaves the talk's memory at once."""
    if slots["new_pin"] != slots["pin_repeated"]:
        return Result("differs", _CODES_GONE)
    done = enrolling.enrol(
        room.tx,
        room.person,
        room.facts.channel,
        str(slots["enrol_name"]),
        str(slots["new_pin"]),
        room.locale,
        room.now,
    )
    outcome = "late" if done is None else "enrolled" if isinstance(done, Enrolled) else "weak"
    return Result(outcome, _CODES_GONE)


# --- a changed number ---------------------------------------------------------------------------------------------


@inside("action_change_phone_factor", "pin code nothing")
def change_phone_factor(room: Inside, slots: Arguments) -> Result:
    """How he shows that it is he before his number moves: by his PIN, or by a code to the number he still has."""
    if factors.has_pin(room.tx, room.person):
        return Result("pin")
    return Result("code" if codes.reads_messages(room.tx, room.person) else "nothing")


@inside("action_check_own_pin", "passed wrong blocked", reads="own_pin", writes="own_pin")
def check_own_pin(room: Inside, slots: Arguments) -> Result:
    """Whether it is he."""
    checked = factors.check(room.tx, room.person, None, "", str(slots["own_pin"]), room.now)
    outcome = (
        "passed"
        if isinstance(checked, FactorPassed)
        else "wrong"
        if isinstance(checked, FactorWrong)
        else "blocked"
    )
    return Result(outcome, {"own_pin": None})


@inside("action_change_phone", "changed late")
def change_phone(room: Inside, slots: Arguments) -> Result:
    """The proven number takes the old one's place, and the old one hears of it."""
    if not enrolling.change_number(room.tx, room.person, room.now):
        return Result("late")
    text = plain(room.release, "utter_phone_changed_elsewhere", {}, room.conversation, room.facts)
    _to_phone(room, enrolling.BEFORE, "utter_phone_changed_elsewhere", text)
    return Result("changed")


ACTIONS = (
    begin_enrolment,
    send_phone_code,
    check_phone_code,
    take_name,
    check_first_pin,
    enrol,
    change_phone_factor,
    check_own_pin,
    change_phone,
)
