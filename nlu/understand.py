"""From what reached us to what the person wants: closed answers first, then grammar, then the classifier.

Understanding only proposes. It takes a yes from closed lists and keys alone, and every amount, account number and code from
the strict readers alone; the engine is asked last and names nothing but a piece of business.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nlu import (
    aliases,
    closed,
    consent,
    guessing,
    hearings,
    joint,
    looking_back,
    mandate_also,
    mandates,
    notice_wishes,
    operating,
    passing,
    people,
    second_opinion,
    sentence,
)
from nlu.answers import answer, key_answer
from nlu.asking import Ask
from nlu.commands import (
    Affirm,
    CannotHandle,
    Clarify,
    Command,
    CorrectSlot,
    Expectation,
    Explain,
    Greet,
    Human,
    Refuse,
    Repeat,
    SetSlot,
    StartFlow,
    Stop,
    Utterance,
)
from nlu.correction import correction
from nlu.engine import OUT_OF_SCOPE, Engine, Parse
from nlu.engines import ahead
from nlu.numbers import parse_amount
from nlu.refusals import refusal
from nlu.swindles import Watch
from nlu.text import MAX_LENGTH, UNSAFE, fold, is_plain, spoken_locale

FLOWS = frozenset(
    {
        "find_account",
        "check_balance",
        "pay_bill",
        "pay_joint",
        "look_back",
        "refund_state",
        "change_preferences",
        "human_help",
        "capabilities",
        "set_pin",
        notice_wishes.FLOW,
        mandates.SET,
        mandates.STOP,
        mandates.LIST,
        mandates.WHY,
        *people.FLOWS,
    }
)
# What this package knows to begin; a house adds every flow that names an intent of its own.
OFFERED = FLOWS | mandates.SAID_PLAINLY | operating.SAID_PLAINLY | joint.SAID_PLAINLY
# Below this a recogniser's hearing is no consent; the prompt is repeated with its keys.
SURE_ENOUGH_FOR_YES = 0.5
_SHORTEST_ACCOUNT = 8
# The second intent is as good as the first when its probability comes this near.
_AS_GOOD = 0.8

_WHY_ZH = re.compile(
    "为什么|为啥|为何|凭什么|怎么(?:又|会|还|就|才)?(?:这么|那么|这样|多|要|贵|涨|扣)|咋(?:这么|那么|会|多|要)|哪来的|怎么回事|怎么算|啥意思|什么意思|什么钱|哪能(?:噶|介)?贵|不对劲|贵了|多收"
)
_WHY_EN = re.compile(
    r"\bwhy\b|\bhow come\b|\bwhat (?:is|are) (?:this|that|these|the extra|the late)\b.*\b(?:fee|charge|for)\b|\bwhat's (?:this|that) (?:fee|charge|for)\b|(?<!you )(?<!ever )\bso (?:much|expensive|high)\b|\btoo (?:much|high|expensive)\b|\bwhat does (?:that|this|it) mean\b"
)
_HOW_ZH = re.compile(
    "(?:不|没)(?:知道|晓得|记得|清楚)(?:呀|啊|怎么|在哪|哪|是)?|忘(?:了|记)|记不(?:得|住|清)|(?:在|去|上)?(?:哪里|哪儿|哪)(?:找|看|有|查|能)?|怎么(?:找|看|查|弄|念|输|按|填)|找不(?:到|着)|没有(?:户号|编号|单子|账单|邀请码)|看不懂|不会|(?:充|存|买|交|付)多少(?:才)?(?:合适|好|够|行)"
)
_HOW_EN = re.compile(
    r"\b(?:don't|do not) (?:know|remember|have)\b|\bforgot\b|\bwhere\b|\bhow (?:do|can|to)\b|\bno idea\b|\bcan't (?:find|remember)\b|\bnot sure\b|\bwhat is (?:it|that)\b"
)
_GREETING_ZH = re.compile(
    "^(?:喂+|你好|您好|侬好|早上好|早|下午好|晚上好|中午好|在吗|在不在|有人吗|hello|hi|小帮|小帮你好|你好小帮|哈喽|嗨|您好小帮|大家好|啊|呀|哎)+[?]?$"
)
_GREETING_EN = re.compile(
    r"^(?:hello|hi|hey|good (?:morning|afternoon|evening)|hi there|hello there|anyone there|are you there|greetings)[ !,.?]*(?:there|again|bangjiao)?[ ?!]*$"
)
_MONEY = re.compile(r"[0-9一二三四五六七八九十百千两] ?[元块]|¥|\b(?:yuan|rmb|kuai)\b")
# Nobody speaks like this: no guess is made of it.
_CODE_LIKE = re.compile(r"[;<>{}\\`$=|]|--")
_NAMES_A_NUMBER = re.compile("户号|编号|账号|号码|号|account|number|it")


class Understanding:
    """Reads one utterance against what the state of the talk waits for.

    `flows` are the pieces of business this house offers: what else is understood is answered as not offered. `watch`
    hears swindles that no closed list holds.
    """

    def __init__(
        self,
        engine: Engine,
        flows: Collection[str] = OFFERED,
        watch: Watch | None = None,
    ) -> None:
        self._engine = engine
        self._flows = frozenset(flows)
        self._watch = watch

    @property
    def engine(self) -> Engine:
        """Who is asked last."""
        return self._engine

    def offering(self, flows: Collection[str]) -> Understanding:
        """The same understanding in a house that offers these."""
        return Understanding(self._engine, flows, self._watch)

    def understand(self, utterance: Utterance, expectation: Expectation) -> list[Command]:
        """The commands of one turn, in the order said; never empty, never an error."""
        if utterance.keys:
            changes = joint.key(utterance.keys, expectation)
            return [changes] if changes else key_answer(utterance.keys, expectation)
        if len(utterance.text) > 4 * MAX_LENGTH:
            return [refuse] if (refuse := refusal("x" * (MAX_LENGTH + 1), expectation)) else []
        text = fold(utterance.text)
        if not text:
            return [CannotHandle("nothing_said")]
        commands = self._read(text, utterance, expectation)
        if others := hearings.others(utterance):
            commands = hearings.settled(
                commands, self._otherwise(others, utterance, expectation), expectation
            )
        return _without_doubtful_yes(commands, utterance, expectation)

    def _otherwise(
        self, others: Iterable[str], utterance: Utterance, expectation: Expectation
    ) -> list[list[Command]]:
        """What the other hearings would have meant; nobody elsewhere is asked about them."""
        heard = (replace(utterance, text=other, nbest=()) for other in others)
        return ahead.alone(lambda: [self._read(one.text, one, expectation) for one in heard])

    def _read(self, text: str, utterance: Utterance, expectation: Expectation) -> list[Command]:
        locale = spoken_locale(text, expectation.locale)
        voice = utterance.voice or expectation.voice
        if refused := refusal(text, expectation):
            return [refused]
        if UNSAFE in text:
            return (
                [Human()]
                if closed.everywhere(text, locale, voice) == Human()
                else [CannotHandle("unreadable")]
            )
        if self._warns(text, locale, voice):
            return [Refuse("scam")]
        if (changed := _joint_change(text, expectation, locale, voice)) is not None:
            return [changed]
        always = closed.everywhere(text, locale, voice)
        told = None if isinstance(always, Human | Stop) else notice_wishes.asked(text, expectation, locale)
        if told is not None:
            return self._offered([told])
        if standing := self._standing(text, expectation, locale, voice):
            return self._at_the_start(standing, text, expectation, locale)
        if (offer := people.changed(text, expectation, locale)) is not None:
            return [offer]
        if _asks_once_more(text, expectation, locale):
            return [Repeat()]
        if said := answer(text, utterance, expectation, locale):
            return said
        if (asked := passing.asked_in_passing(text, locale)) is not None:
            return self._offered([asked]) if isinstance(asked, StartFlow) else [asked]
        if (beside := looking_back.beside(text, expectation, locale)) is not None:
            return self._at_the_start(self._offered([beside]), text, expectation, locale)
        if (command := _explained(text, expectation, locale)) is not None:
            return self._at_the_start([command], text, expectation, locale)
        if put_right := _corrected(text, expectation, locale):
            return [put_right]
        if voice and (heard := closed.by_sound(text, locale)) is not None:
            return [heard]
        begun = self._business(text, utterance, expectation, locale)
        return self._at_the_start(begun, text, expectation, locale)

    def _at_the_start(
        self, begun: list[Command], text: str, expectation: Expectation, locale: str
    ) -> list[Command]:
        """At the start of a talk the engine's reading where it is surer than the grammar; nobody elsewhere is asked for it."""
        if expectation.asks != "open" or expectation.in_flow or not second_opinion.contested(begun):
            return begun
        parse = ahead.alone(lambda: self._engine.parse(text, locale))
        better = second_opinion.instead(begun[0], parse, text, locale, self._flows)
        return [_by_intent(better, text, locale) if isinstance(better, str) else better]

    def _warns(self, text: str, locale: str, voice: bool) -> bool:
        """Whether it sounds like a swindle; who asks for a person or an end gets that first."""
        if self._watch is None or not self._watch.suspects(text, locale):
            return False
        return not isinstance(closed.everywhere(text, locale, voice), Human | Stop)

    def _standing(self, text: str, expectation: Expectation, locale: str, voice: bool) -> list[Command]:
        """Of automatic payments: stopped in one word, and what was asked, noted or agreed about them."""
        if mandate_also.names_another_purse(text, locale):
            pass  # a wallet is no other business here
        elif sentence.names_other_business(text, locale):
            return []
        found = mandates.said(text, expectation, locale, voice, sentence.slots(text, locale))
        return [c for c in found if not isinstance(c, StartFlow) or c.flow in self._flows]

    def _business(
        self, text: str, utterance: Utterance, expectation: Expectation, locale: str
    ) -> list[Command]:
        if (_GREETING_EN if locale == "en" else _GREETING_ZH).search(text.rstrip("!。., ")):
            return [Greet()]
        if about_people := people.wish(text, expectation, locale):
            return about_people
        for asked in (operating.asked(text, locale), looking_back.asked(text, locale)):
            if asked is not None and asked.flow in self._flows:
                return [asked]
        begun = joint.owed(text, locale) or joint.together(sentence.wishes(text, locale), text, locale)
        if begun:
            return _about_the_question(begun, expectation) or self._offered(joint.of_all(begun, text, locale))
        if sentence.names_other_business(text, locale):
            return [CannotHandle("not_offered")]
        if sentence.is_how(text, locale):
            return [Explain("how")] if expectation.in_flow else self._offered([StartFlow("capabilities")])
        if bare := _bare_values(text, expectation, locale):
            return bare
        return self._guess(text, hearings.others(utterance), expectation, locale)

    def _offered(self, begun: Iterable[StartFlow]) -> list[Command]:
        commands: list[Command] = [wish for wish in begun if wish.flow in self._flows]
        return commands or [CannotHandle("not_offered")]

    def _guess(
        self, text: str, others: Sequence[str], expectation: Expectation, locale: str
    ) -> list[Command]:
        """What the engine thinks, as far as it may: a piece of business without any value of its own."""
        only_a_number = not isinstance(parse_amount(text, locale), Ask)
        if only_a_number or not re.search("[a-z\u3400-\u9fff]", text) or _CODE_LIKE.search(text):
            return [CannotHandle()]
        parse = hearings.opinion(self._engine, text, others, locale)
        if not parse.in_scope or parse.best == OUT_OF_SCOPE or not _may_interrupt(parse, expectation):
            return [CannotHandle("out_of_scope" if expectation.asks == "open" else "not_understood")]
        if parse.best in ("pay_bill", "pay_joint") and sentence.unwilling(text, locale):
            return [CannotHandle()]
        if not guessing.may_begin(parse.best, text):
            return [CannotHandle()]
        rivals = tuple(
            intent
            for intent, p in parse.ranking[:2]
            if intent in self._flows and p >= _AS_GOOD * parse.ranking[0][1]
        )
        if len(rivals) > 1:
            return [Clarify(rivals)]
        if parse.best not in self._flows | _TALK.keys():
            return [CannotHandle("not_offered")]
        guessed = _by_intent(parse.best, text, locale)
        return _about_the_question([guessed], expectation) or [guessed]


_HOW_MUCH_AGAIN_ZH = re.compile(
    "^(?:那|哦|嗯|一共|总共|合计|加起来|拢共|全部|要|是|得|该|交|付|多少钱?|几块钱?|几钿|来着|啊|呀|呢|了|到底|你说)+$"
)
_HOW_MUCH_AGAIN_EN = re.compile(
    r"^(?:so |and |ok |sorry |well )*(?:what(?:'s| is| was) the (?:total|sum|amount)|how much (?:is|was) (?:it|that|the total|this)|how much|the total)(?: again| altogether| in all| in total)?$"
)


def _asks_once_more(text: str, expectation: Expectation, locale: str) -> bool:
    """一共多少来着 at a read-back: the sum stands in what was just said, so it is said again."""
    if expectation.asks not in {"confirm", "code"}:
        return False
    said = text.strip(" ?。.!,")
    if locale == "en":
        return bool(_HOW_MUCH_AGAIN_EN.search(said))
    return bool(_HOW_MUCH_AGAIN_ZH.search(said)) and bool(re.search("多少|几块|几钿", said))


def _about_the_question(begun: Sequence[Command], expectation: Expectation) -> list[Command]:
    """多少钱来着 at the read-back, 充多少合适 at the amount: said of the question itself, so no new business."""
    if expectation.in_flow is None or list(begun) != [StartFlow("check_balance")]:
        return []
    if expectation.asks in {"account", "amount"}:
        return [Explain("how")]
    return [Repeat()] if expectation.asks in {"confirm", "code", "name_check", "consent"} else []


def _may_interrupt(parse: Parse, expectation: Expectation) -> bool:
    """Where an answer is awaited, only a piece of business that is likelier than everything else together.

    Small talk is answered as such only when it plainly is: a muttering that looks a little like good-bye is none.
    """
    if parse.best in _TALK and parse.ranking[0][1] <= 0.5:
        return False
    return expectation.asks == "open" or (parse.best not in _TALK and parse.ranking[0][1] > 0.5)


def _by_intent(intent: str, text: str, locale: str) -> Command:
    if intent in _TALK:
        return _TALK[intent]
    if intent == "human_help":
        return Human()
    if intent == "change_preferences":
        wish = aliases.preference(text)
        return StartFlow(intent, {"preference": wish} if wish else {})
    if intent == notice_wishes.FLOW:
        return StartFlow(intent, notice_wishes.slots(text, locale))
    if intent == "pay_joint":
        return StartFlow(intent, joint.slots(text, locale))
    if intent == "look_back":
        return StartFlow(intent, looking_back.slots(text, locale))
    if intent in ("refund_state", "who_sees", "elders_due"):
        return StartFlow(intent)
    if intent == "take_back":
        return StartFlow(intent, people.whom(text, locale))
    if intent in (mandates.SET, mandates.STOP, mandates.LIST, mandates.WHY):
        return mandates.wish(intent, text, sentence.slots(text, locale), locale)
    return StartFlow(intent, sentence.slots(text, locale))


# A thanks or good-bye the closed list did not hold is answered like a greeting: a guess never ends a talk.
_TALK: dict[str, Command] = {"greet": Greet(), "thanks": Greet(), "bye": Greet()}


def _joint_change(text: str, expectation: Expectation, locale: str, voice: bool) -> CorrectSlot | None:
    """电费也充50 at a joint read-back; a person and an end come before it as everywhere."""
    if isinstance(closed.everywhere(text, locale, voice), Human | Stop):
        return None
    return joint.change(text, expectation, locale)


def _corrected(text: str, expectation: Expectation, locale: str) -> Command | None:
    """A correction, where there is something to correct."""
    if expectation.asks == "open" and expectation.in_flow is None:
        return None
    return correction(text, expectation, locale)


def _explained(text: str, expectation: Expectation, locale: str) -> Explain | None:
    """为啥多两块四毛七 and 户号在哪: questions about the question, not answers to it."""
    english = locale == "en"
    if (_WHY_EN if english else _WHY_ZH).search(text) and _may_ask_why(text, expectation, locale):
        return Explain("why")
    # 接着办吗 has no way of being done: 户号在哪 is business of its own there.
    goes_on = {"yes", "no"} <= expectation.choices.keys()
    asked = expectation.in_flow is not None and expectation.asks in {"account", "code", "amount", "choice"}
    asks_how = asked and not goes_on
    if asks_how and (_HOW_EN if english else _HOW_ZH).search(text) and not _other_wish(text, locale):
        return Explain("how")
    return None


def _may_ask_why(text: str, expectation: Expectation, locale: str) -> bool:
    return expectation.in_flow is not None or not sentence.names_other_business(text, locale)


def _other_wish(text: str, locale: str) -> bool:
    """怎么查水费 in the middle of something else begins a new wish; 户号怎么找 does not."""
    return bool(aliases.utilities(text, locale)) and not _NAMES_A_NUMBER.search(text)


def _bare_values(text: str, expectation: Expectation, locale: str) -> list[Command] | None:
    """Values without a verb: inside a flow they put something right, at the start they ask for the bill they name."""
    values = sentence.slots(text, locale)
    plain = re.sub("[的家啊吧呀呢,。!? ]", "", text)
    if (
        sentence.is_how(text, locale)
        or not values
        or len(plain) > (40 if locale == "en" else 10) + len(str(values.get("account", "")))
    ):
        return None
    if expectation.in_flow is None:
        return [StartFlow("check_balance", values)] if _names_a_bill(values) else None
    if expectation.slot and set(values) == {expectation.slot} and _answers_all_the_same(text, expectation):
        return [SetSlot(expectation.slot, values[expectation.slot])]
    if expectation.asks == "confirm" and set(values) == {"account"}:
        return [CorrectSlot("account", values["account"])]
    if (
        set(values) == {"utility"}
        and not re.search("[0-9一二三四五六七八九十百]", plain)
        and len(plain) <= (20 if locale == "en" else 4)
    ):
        return [CorrectSlot("utility", values["utility"])]
    return None


def _answers_all_the_same(text: str, expectation: Expectation) -> bool:
    """接着办吗? — 3100456712: the answer to the question that was interrupted. A bare figure may be anything."""
    return expectation.slot == "account" or (expectation.slot == "amount" and bool(_MONEY.search(text)))


def _names_a_bill(values: Mapping[str, Any]) -> bool:
    """A kind of bill, or a number as long as account numbers are: a code that comes too late is neither."""
    return "utility" in values or len(str(values.get("account", ""))) >= _SHORTEST_ACCOUNT


def _without_doubtful_yes(
    commands: list[Command], utterance: Utterance, expectation: Expectation
) -> list[Command]:
    """A yes that another hearing contradicts, or that was hardly heard, is no yes."""
    if not any(isinstance(command, Affirm) for command in commands):
        return commands
    if not is_plain(utterance.text):
        return [CannotHandle("unreadable")]
    if utterance.voice and utterance.confidence < SURE_ENOUGH_FOR_YES:
        return [CannotHandle("not_heard_surely")]
    others = (fold(other) for other in utterance.nbest)
    return (
        [CannotHandle("heard_two_ways")]
        if any(map(_refuses, others, _locales(utterance, expectation)))
        else commands
    )


def _locales(utterance: Utterance, expectation: Expectation) -> list[str]:
    return [spoken_locale(fold(other), expectation.locale) for other in utterance.nbest]


def _refuses(text: str, locale: str) -> bool:
    """Another hearing that says no, not now, stop or something to correct."""
    ends = isinstance(closed.everywhere(text, locale, voice=True), Stop | Human | Repeat)
    return (
        ends
        or closed.cancels(text, locale)
        or consent.is_no(text, locale)
        or consent.begins_with_no(text, locale)
    )
