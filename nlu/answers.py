"""The answer to what was asked: yes and no, keys, digits, an amount, one of the choices, a code."""

from __future__ import annotations

import re

from data.money import Money
from nlu import closed, consent, numbers, passing, sentence
from nlu.aliases import utilities
from nlu.asking import Ask
from nlu.commands import (
    Affirm,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    Doubt,
    DoubtfulDigits,
    Expectation,
    Explain,
    Human,
    Refuse,
    Repeat,
    SetSlot,
    Stop,
    Utterance,
)
from nlu.digits import Digits, compare, find_number, parse_digits
from nlu.pinyin import sound_alike
from nlu.refusals import is_card
from nlu.text import clauses, fold

_CONSENTS = {"confirm", "consent", "name_check"}
# 现在交吗: 交 is a yes there. What follows is a read-back, so nothing moves by it.
_OFFERS = {"pay_now", "top_up_now"}
_CODE_LENGTHS = range(4, 9)
_WITH_CODE = re.compile(
    r"^(?P<yes>.+?)[\s,。.:!]*(?:(?:密码|验证码|码|code|pin)(?:是|is|:)?)?[\s:,]*(?P<code>[0-9](?: ?[0-9]){3,7}|[零一二三四五六七八九幺洞两]{4,8})[。.!]?$"
)
_DONE = frozenset(
    {
        "没了",
        "没有了",
        "完了",
        "好了",
        "就这些",
        "就这么多",
        "结束了",
        "that's all",
        "that's it",
        "done",
        "no more",
    }
)
_WANTS = re.compile(
    "^(?:我)?(?:要|选|选择|就|还是|那就|按|是|用|想要|帮我|给我|the|i want|i choose|choose|option|number|take)+ ?"
)
_ORDINAL = {"第一个": 0, "第一": 0, "头一个": 0, "前面那个": 0, "第二个": 1, "第二": 1, "第三个": 2, "第三": 2, "最后一个": -1,
            "first": 0, "the first": 0, "first one": 0, "the first one": 0, "second": 1, "the second": 1, "second one": 1, "the second one": 1,
            "third": 2, "the third": 2, "the third one": 2, "the last one": -1}  # fmt: skip
_NEGATIVE = re.compile(r"不|别|没|甭|莫|勿|\b(?:not|don't|no)\b")
_WHY = re.compile(r"为什么|为啥|怎么|\bwhy\b|\bhow\b")


def key_answer(keys: str, expectation: Expectation) -> list[Command]:
    """What telephone or keypad keys mean here (settled 24: 0 person, 9 repeat, * stop; in digit entry # ends, 0# person)."""
    if "*" in keys:
        return [Stop()]
    return _collected_keys(keys, expectation) if _collects(expectation) else [_single_key(keys, expectation)]


def _collects(expectation: Expectation) -> bool:
    return expectation.digits is not None or expectation.asks in {"account", "code"}


def _collected_keys(keys: str, expectation: Expectation) -> list[Command]:
    digits = keys.rstrip("#")
    if keys == "0#":
        return [Human()]
    if not digits.isdigit() or not digits.isascii():
        return [CannotHandle("no_digits")]
    if chosen := _choice_by_word(digits, expectation):
        return [chosen]
    if expectation.asks in _CONSENTS:
        return [_single_key(digits, expectation)]
    if expectation.asks == "amount":
        return [SetSlot(expectation.slot or "amount", int(digits) * 100)]  # whole yuan: a keypad has no point
    return _given_digits(Digits(digits), expectation)


def _single_key(keys: str, expectation: Expectation) -> Command:
    keys = keys.rstrip("#")
    if keys in {"0", "9"}:
        return Human() if keys == "0" else Repeat(slower=True)
    if expectation.asks in _CONSENTS and keys in {"1", "2"}:
        return Affirm("key") if keys == "1" else Deny()
    if expectation.asks in {"confirm", "consent"} and keys.isdigit() and len(keys) in _CODE_LENGTHS:
        return Code(keys)
    return _choice_by_word(keys, expectation) or CannotHandle("key")


def answer(text: str, utterance: Utterance, expectation: Expectation, locale: str) -> list[Command]:
    """The commands of a folded text that answers what was asked or works everywhere; [] when it does neither."""
    voice = utterance.voice or expectation.voice
    if text in {"0", "*", "#", "0#"} and not (text == "0" and _collects(expectation)):
        return key_answer(text, expectation)
    always = closed.everywhere(text, locale, voice)
    if isinstance(always, Human | Stop):
        dropped = isinstance(always, Stop) and not voice and _is_shown_no(text, expectation)
        return [Choose(_NO)] if dropped else [always]
    if passing.waits(text, locale):
        return [Explain("wait")]
    if expectation.collected and text in _DONE:
        return [SetSlot(expectation.slot or "account", expectation.collected)]
    # 好 to 要现在充吗, told while nothing is under way, takes up what was offered.
    if expectation.in_flow is None and (taken := _choice_by_word(text, expectation)):
        return [taken]
    if said := _agreed(text, expectation, locale, voice):
        return said
    if chosen := _choice_by_word(text, expectation):
        return [chosen]
    if always is not None:
        return [always]
    if closed.cancels(text, locale):
        return [CancelFlow()]
    return _value(text, utterance, expectation, locale)


_NO = "no"  # how 接着办吗 names the choice that drops the interrupted business


def _is_shown_no(text: str, expectation: Expectation) -> bool:
    """不办了 typed under a button 不办了 means that button: this one piece of business is dropped, what lies below it stays."""
    return text in {fold(word) for word in expectation.choices.get(_NO, ())}


def _agreed(text: str, expectation: Expectation, locale: str, voice: bool) -> list[Command]:
    """Yes, no, or a yes with the code in one breath (嗯 1234)."""
    strength = "spoken" if voice else "word"
    if expectation.asks in {"confirm", "consent", "code"} and (match := _WITH_CODE.match(text)):
        asks = "confirm" if expectation.asks == "code" else expectation.asks
        code = parse_digits(match["code"])
        if isinstance(code, Digits) and consent.is_yes(match["yes"], locale, asks, voice=False):
            return [Affirm(strength), Code(code.value)]
    asked = "consent" if expectation.slot in _OFFERS else expectation.asks
    if consent.is_yes(text, locale, asked, voice) or _pays_them_all(text, expectation, locale):
        return [Affirm(strength)]
    if expectation.asks in {"confirm", "code"} and consent.says_wrong(text, locale):
        return [CannotHandle("what_is_wrong")]
    if expectation.asks == "open" or closed.cancels(text, locale) or not consent.is_no(text, locale):
        return (
            [Deny()]
            if expectation.asks == "open" and consent.is_no(text, locale) and not closed.cancels(text, locale)
            else []
        )
    wrong_number = expectation.asks == "account" and expectation.collected
    return [CorrectSlot(expectation.slot or "account", None) if wrong_number else Deny()]


_PAYS_THEM_ALL = re.compile(
    "(?:好的?|嗯|行|那就?|就|对|,)*(?:都|全|全部|一起|一块儿?|统统)(?:给我|帮我)?(?:交|付|缴)(?:了|掉)?吧|(?:yes |ok |please )?pay (?:them )?(?:all|all of them)(?: please)?"
)


def _pays_them_all(text: str, expectation: Expectation, locale: str) -> bool:
    """都交了吧 is a yes to a list that was read back, and to nothing else: 都交了 alone may say that it is done."""
    listed = expectation.in_flow == "pay_joint" and expectation.asks == "confirm"
    bare = text if locale == "en" else text.replace(" ", "")
    return listed and bool(_PAYS_THEM_ALL.fullmatch(bare.rstrip("。.!")))


def _value(text: str, utterance: Utterance, expectation: Expectation, locale: str) -> list[Command]:
    if passing.asked_in_passing(text, locale) is not None:
        return []  # 可以过两天交吗 names no amount
    match expectation.asks:
        case "code" | "confirm" | "consent":
            return _code(text, expectation, locale)
        case "amount":
            return _amount(text, expectation, locale)
        case "account":
            return _number(text, utterance, expectation, locale)
        case "choice":
            return _choice(text, utterance, expectation, locale)
        case _:
            return (
                _number(text, utterance, expectation, locale)
                if expectation.digits
                else _free_text(text, expectation)
            )


def _free_text(text: str, expectation: Expectation) -> list[Command]:
    return [SetSlot(expectation.slot, text)] if expectation.slot and expectation.slot_type == "text" else []


def _code(text: str, expectation: Expectation, locale: str) -> list[Command]:
    heard = parse_digits(text, locale)
    if isinstance(heard, Ask) or heard.doubtful:
        return (
            [CannotHandle("code_not_heard")]
            if expectation.asks == "code" and not isinstance(heard, Ask)
            else []
        )
    if len(heard.value) in _CODE_LENGTHS:
        return [Code(heard.value)]
    return [CannotHandle("code_length")] if expectation.asks == "code" else []


# --- amounts -----------------------------------------------------------------------------------------------------


def _amount(text: str, expectation: Expectation, locale: str) -> list[Command]:
    slot = expectation.slot or "amount"
    if numbers.says_all(text, locale) and _may_be_all(text, expectation, locale):
        return [SetSlot(slot, numbers.ALL)]
    said = numbers.parse_amount(text, locale)
    if isinstance(said, Ask):
        found = numbers.find_amount(text, locale)
        said = found.amount if isinstance(found, numbers.Found) and isinstance(found.amount, Money) else said
    if isinstance(said, Money):
        return [] if sentence.wishes(text, locale) and utilities(text, locale) else [SetSlot(slot, said.fen)]
    if said.reason == "none" or utilities(text, locale) or _WHY.search(text):
        return []
    return [
        Refuse("approximate_amount")
        if said.reason == "approximate"
        else CannotHandle(f"amount_{said.reason}")
    ]


def _may_be_all(text: str, expectation: Expectation, locale: str) -> bool:
    """全付 answers how much of a bill is paid; a cap has no all, and 水费电费都交了 is a wish for two bills."""
    of_a_bill = expectation.slot in (None, "amount") and expectation.in_flow in (None, "pay_bill")
    return of_a_bill and len(utilities(text, locale)) < 2


# --- digits ------------------------------------------------------------------------------------------------------


def _number(text: str, utterance: Utterance, expectation: Expectation, locale: str) -> list[Command]:
    heard = _heard(text, utterance, locale)
    if isinstance(heard, Digits):
        return _given_digits(heard, expectation)
    if heard.reason == "ambiguous" and not utilities(text, locale):
        return [CannotHandle("digits_ambiguous")]
    number = find_number(text)
    if isinstance(number, str) and not sentence.wishes(text, locale):
        return _given_digits(Digits(number, corrected=consent.begins_with_no(text, locale)), expectation)
    slot = expectation.slot or "account"
    own = re.search("用?我?自己(?:家)?的|^我的$|my own", text)
    return (
        [SetSlot(slot, "own")]
        if own and len(text) < 12 and not _NEGATIVE.search(text) and slot == "account"
        else []
    )


def _heard(text: str, utterance: Utterance, locale: str) -> Digits | Ask:
    """The digits heard; where two hearings of the same length differ, the place is doubtful."""
    first = parse_digits(text, locale)
    if isinstance(first, Ask) or first.doubtful or not utterance.nbest:
        return first
    others = [parse_digits(other, locale) for other in utterance.nbest]
    alike = [
        other.value
        for other in others
        if isinstance(other, Digits) and not other.doubtful and len(other.value) == len(first.value)
    ]
    together = compare([first.value, *alike])
    return Digits(together.value, together.doubtful, first.corrected, first.tail) if together else first


def _given_digits(heard: Digits, expectation: Expectation) -> list[Command]:
    if _is_card_in_parts(heard.value, expectation):
        return [Refuse("card_number")]
    if expectation.asks == "code":
        return [Code(heard.value)]
    slot = expectation.slot or "account"
    if heard.tail:
        known = [number for number in expectation.known_numbers if number.endswith(heard.value)]
        return (
            [SetSlot(slot, known[0])]
            if len(known) == 1 and len(heard.value) >= 3
            else [CannotHandle("tail_unknown")]
        )
    before = _kept_before(heard, expectation)
    value = before + heard.value
    if heard.doubtful:
        doubts = tuple(Doubt(len(before) + doubt.position, doubt.candidates) for doubt in heard.doubtful)
        return [DoubtfulDigits(slot, value, doubts)]
    return [SetSlot(slot, value)]


def _is_card_in_parts(digits: str, expectation: Expectation) -> bool:
    """Whether the digits are a card's, by themselves or together with those collected before."""
    return is_card(digits, expectation) or (
        bool(expectation.collected) and is_card(expectation.collected + digits, expectation)
    )


def _kept_before(heard: Digits, expectation: Expectation) -> str:
    """What was collected before, unless the person corrects it or has begun again from the front."""
    collected = expectation.collected
    begun_again = len(heard.value) > len(collected) and heard.value.startswith(collected)
    if not collected or heard.corrected or begun_again:
        return ""
    least, most = expectation.digits or (1, 24)
    whole_again = len(collected) + len(heard.value) > most and least <= len(heard.value) <= most
    return "" if whole_again else collected


# --- choices -----------------------------------------------------------------------------------------------------


def _choice(text: str, utterance: Utterance, expectation: Expectation, locale: str) -> list[Command]:
    for read in (
        _choice_in_order,
        _choice_by_sound if utterance.voice or expectation.voice else _no_choice,
        _choice_inside,
        _choice_by_mask,
    ):
        if chosen := read(text, expectation):
            return [chosen]
    if expectation.slot == "utility" and len(kinds := utilities(text, locale)) == 1 and len(text) <= 12:
        return [SetSlot("utility", kinds[0].value)]
    return _number(text, utterance, expectation, locale) if expectation.digits else []


def _choice_by_mask(text: str, expectation: Expectation) -> Choose | None:
    """程福生的 chooses the one that is listed as 程*生: who knows the name may say it."""
    if _NEGATIVE.search(text) or len(text) > 20:
        return None
    found = {
        value
        for value, words in expectation.choices.items()
        for word in words
        if re.search("^[\u3400-\u9fff]\\*+[\u3400-\u9fff]?$", word)
        and re.search(re.escape(word).replace("\\*", "[\u3400-\u9fff]"), text)
    }
    return Choose(found.pop()) if len(found) == 1 else None


def _no_choice(text: str, expectation: Expectation) -> Choose | None:
    return None


def _choice_by_word(text: str, expectation: Expectation) -> Choose | None:
    """Exactly the word or key of one choice, with no more than politeness round it."""
    if not expectation.choices:
        return None
    parts = clauses(text)
    said = {
        text,
        *(
            (parts[0], _WANTS.sub("", parts[0]), _WANTS.sub("", parts[0]).rstrip("吧的了呀啊"))
            if len(parts) == 1
            else ()
        ),
    }
    found = [
        value
        for value, words in expectation.choices.items()
        if said & ({value} | {fold(word) for word in words})
    ]
    return Choose(found[0]) if len(found) == 1 else None


def _choice_in_order(text: str, expectation: Expectation) -> Choose | None:
    at = _ORDINAL.get(_WANTS.sub("", text).rstrip("吧的。. "))
    values = list(expectation.choices)
    return Choose(values[at]) if at is not None and at < len(values) else None


def _choice_by_sound(text: str, expectation: Expectation) -> Choose | None:
    found = [
        value
        for value, words in expectation.choices.items()
        if any(sound_alike(text, fold(word)) for word in words)
    ]
    return Choose(found[0]) if len(found) == 1 else None


def _choice_inside(text: str, expectation: Expectation) -> Choose | None:
    """A choice named within a short sentence without any no in it."""
    if _NEGATIVE.search(text) or len(text) > 20 or "?" in text:
        return None
    found = {
        value
        for value, words in expectation.choices.items()
        for word in words
        if len(word) > 1 and fold(word) in text
    }
    return Choose(found.pop()) if len(found) == 1 else None
