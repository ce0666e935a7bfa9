"""自动缴费 in plain words: to set it, change it, let it rest, stop it, look at it, and to ask why it took money.

Every figure is known by the words round it, never by its order, and read by the strict readers; one that is not said surely
is left out here and asked for in the talk.
"""

from __future__ import annotations

import re
from typing import Any

from data.money import Money
from nlu import closed
from nlu.commands import Command, Expectation, Human, StartFlow, Stop
from nlu.rules import parts_of
from nlu.text import fold, tight

SET, STOP, PAUSE, LIST, WHY = "set_mandate", "stop_mandate", "pause_mandate", "list_mandates", "why_charged"
ACKNOWLEDGE, SKIP, CAPS = "acknowledge_warning", "skip_debit", "change_caps"
# What is understood from plain words alone: no sentence is guessed to mean it.
SAID_PLAINLY = frozenset({PAUSE, ACKNOWLEDGE, SKIP, CAPS})

_AUTO_ZH = re.compile(
    "自动(?!扶梯|售货|取款|柜员|档|门|化)|代扣|自己(?:会)?扣|它(?:能|会|能不能|会不会)?自己(?:能|会)?(?:充|交|缴|续)|(?:低于|少于|不足|不到).*[充交缴]|每个?月(?:都|帮我|给我)?(?:自动)?(?:充|交|扣)"
)
_AUTO_EN = re.compile(
    r"\bauto(?:matic(?:ally)?|pay|-pay|pays)?\b|\bdirect debit\b|\bstanding order\b|\bwhenever\b|\bbelow\b|\bevery month\b|\bby itself\b|\btops? itself up\b|\bitself\b"
)
_ENDS = "(?:停(?![电水气])|关|取消|解除|撤|解约|去掉|删|拿掉)"
_STOPS_ZH = re.compile(
    f"{_ENDS}(?:掉|了|一下)?[^,。;]{{0,10}}(?:自动|代扣)|(?:自动|代扣)[^,。;]{{0,12}}(?:{_ENDS}|不要了|不用了|不想要|别弄了|别开了)|"
    "(?:别|不要|不用|不想|甭|不许|莫|勿要|不必)(?:再|给我|帮我|替我|让它|它|你|们|叫|要)*[^,。;]{0,4}(?:自动|代扣)|(?:自动|代扣)[^。;]{0,12},(?:停|停了|停掉|关了|关掉|取消|不要了)(?:吧|了|啊)?$"
)
_STOPS_EN = re.compile(
    r"\b(?:stop|cancel|turn off|switch off|disable|end|remove|quit|no more|get rid of)\b[^,.;]{0,40}\b(?:auto\w*|direct debit|standing order|by itself)|"
    r"\b(?:don't|do not|never|mustn't)\b[^,.;]{0,30}\b(?:auto\w*|by itself|direct debit)|\bauto[\w -]{0,30}\b(?:off|away)\b"
)
_EVERY_ZH = re.compile("都|全部|所有|全停|统统|通通|一个不留")
_EVERY_EN = re.compile(r"\b(?:all|every|everything|both)\b")
_PAUSE_ZH = re.compile("暂停|先停(?:一|几|两|三)|停(?:一|几|两|三)(?:天|阵|个?月|下)|歇(?:一|几)|缓一缓|先缓")
_PAUSE_EN = re.compile(r"\b(?:pause|suspend|hold off|on hold|for a while|take a break)\b")
_RESUME_ZH = re.compile("恢复|重新|接着|继续|再打开|再开|又(?:要|想)|重开")
_RESUME_EN = re.compile(r"\b(?:resume|restart|again|re-?enable|back on|unpause)\b")
_CHANGE_ZH = re.compile("改|换成|调(?:到|成|整|高|低)|变成|提高|降低")
_CHANGE_EN = re.compile(r"\b(?:change|instead|make it|raise|lower it|increase|decrease|adjust|modify)\b")
_LIST_ZH = re.compile(
    "哪些|有没有|有什么|什么样|几个|几样|看看|查|列|还(?:在|开|有效)|设了(?:没|吗|什么|啥|哪|几)|开了(?:没|吗)|是不是|怎么停|为什么停|停了(?:吗|没|没有)|情况|清单"
)
_LIST_EN = re.compile(
    r"\b(?:which|what|list|show|see|any|are there|do i have|is there|look at|still on|is .{1,20} on)\b|\?$"
)
_WHY_ZH = re.compile(
    "(?:为什么|为啥|为何|凭什么|怎么|咋|干嘛|干吗|谁让|谁叫|谁同意|哪个)[^,。]{0,8}(?:扣|划|充|交|缴|付)(?:了|我|走|掉|的|这|那|去)|"
    "(?:扣|划)[^,。]{0,10}(?:为什么|为啥|怎么回事|咋回事|谁让|谁同意|谁叫|干嘛|干什么用|什么钱|哪来)|(?:这|那)(?:一?笔|[0-9一二两三四五六七八九十百]+(?:块|元))[^,。]{0,6}(?:怎么回事|是什么|谁)|(?:钱|余额)[^,。]{0,6}(?:怎么|咋)(?:少了|没了|变少)"
)
_NOT_WHY_ZH = re.compile("滞纳金|违约金|怎么(?:充|交|缴|付)(?:的?好|费|呀|啊|$)")
_WHY_EN = re.compile(
    r"\bwhy\b.{0,30}\b(?:charged?|taken?|took|deducted?|debited?|topped|paid)\b|\bwho\b.{0,15}\b(?:took|charged|allowed|agreed|authorised|authorized|said)\b.{0,30}\b(?:money|yuan|payment|charge|this|that)\b|\bwhat(?:'s| is| was)\b.{0,15}\b(?:charge|deduction|debit)\b"
)
_NOTED_ZH = re.compile(
    "^(?:嗯|哦|噢|好|好的|行|谢谢|那|我|都)*(?:知道了|晓得了|收到|收到了|明白了|看到了|有数了|了解了|清楚了)(?:吧|啊|哦|哈|谢谢|了)*[。.!]*$"
)
_NOTED_EN = re.compile(
    r"^(?:ok |okay |yes |thanks |thank you |good |i |all )*(?:got it|noted|understood|seen|i know|acknowledged|know|see)(?: thanks| thank you)?[.!]*$"
)
_SKIP_ZH = re.compile(
    "^(?:那|就|先|嗯|请|我|帮我|把)*(?:跳过|略过|(?:这|那)(?:一?[次笔期回]|个月)(?:的)?[^,。]{0,6}(?:不|别|先不|不要|不用|甭)(?:要|用)?(?:交|缴|扣|付|自动)[^,。]{0,4}|(?:不|别|先不|不要)(?:交|缴|扣|付)(?:这|那)一?[次笔期回]|(?:这|那)(?:一?[次笔期]|个月)跳过)(?:吧|了|啊|一下|这次|这一次|这笔|这个月)*[。.!]*$"
)
_SKIP_EN = re.compile(
    r"^(?:please |just |ok |okay )*(?:skip (?:it|this|that|this one|this time|this payment|this bill|this month)|not this (?:time|month|one)|don't (?:pay|take|charge) (?:it |this |that )?(?:this time|one|this month)|leave this one out)(?: please| thanks)*[.!]*$"
)

_N = "[0-9一二两三四五六七八九十]+"
_ASK_ABOVE_ZH = re.compile(
    "(?:(?:比|跟|和|同|超过|超出|高过|是)?(?:去年|上年|往年|同期|历史)[^,。;]{0,8}?(?:同月|同期|同一个?月|这个月)?[^,。;]{0,6}?)(?:多|高|贵|超)?(?:出|了)?(?P<more>一倍|两倍|二倍|三倍|翻倍|翻番|翻一番)(?:以上|还多)?[^,。;]{0,3},?(?:[^,。;]{0,4}(?:先)?(?:问|告诉|通知|找)[^,。;]{0,3}我?)?"
)
_ASK_ABOVE_EN = re.compile(
    r"\b(?P<more>twice|double|two times|2 times|three times|3 times|triple)\b[^.;]{0,50}\b(?:last year|same month|usual)\b(?:[^.;]{0,10}\bask\b[^.;,]{0,10})?"
)
_TIMES = {
    "两倍": 2, "二倍": 2, "三倍": 3, "翻倍": 2, "翻番": 2, "翻一番": 2,
    "twice": 2, "double": 2, "two times": 2, "2 times": 2, "three times": 3, "3 times": 3, "triple": 3,
}  # fmt: skip
_PER_DAY_ZH = re.compile(
    "(?:一天|每天|一日|每日)(?:里|内)?(?:最多|至多|顶多|不超过|别超过|只)?(?:充|扣|交)?(?P<n>[一二两三1-3])(?:次|回)"
)
_PER_DAY_EN = re.compile(r"\b(?:at most |no more than )?(?P<n>once|twice|one time|two times) (?:a|per) day\b")
_COUNTS = {"一": 1, "二": 2, "两": 2, "三": 3, "once": 1, "one time": 1, "twice": 2, "two times": 2}
_EACH = re.compile(
    "每次|一次|每笔|一笔|单次|单笔|每回|一回|each time|a time|per payment|per bill|each bill|each payment"
)
_BREAKS = re.compile("[,。;，；]| and ")


_ENOUGH_ZH = re.compile(
    "(?:就(?:行|够|好|可以)|够了|为止|降(?:到|成|低)?|调(?:到|成|低|高)|改(?:到|成)?|提(?:高|到)|换成|升到)"
)
_ENOUGH_EN = re.compile(r"\b(?:is enough|will do|lower|raise|change|reduce|increase|make|set)\b")


def only_caps(text: str, locale: str) -> dict[str, int]:
    """一个月最多200就行, 自动缴费上限改成200: caps and no other term, said of what is agreed already; {} otherwise."""
    if not (_ENOUGH_EN if locale == "en" else _ENOUGH_ZH).search(text):
        return {}
    found = terms(text, locale)
    return found if found and found.keys() <= {"per_month", "per_charge"} else {}


def business(text: str, locale: str) -> str | None:
    """Which business with automatic payments a folded sentence begins; None when it is about something else."""
    english = locale == "en"
    if not (_AUTO_EN if english else _AUTO_ZH).search(text):
        return None
    agrees = {"below", "amount"} & terms(text, locale).keys()
    if (_PAUSE_EN if english else _PAUSE_ZH).search(text) and not agrees:
        return PAUSE
    if (_LIST_EN if english else _LIST_ZH).search(text) and not agrees and not _plainly_stops(text, english):
        return LIST
    if (_STOPS_EN if english else _STOPS_ZH).search(text) and not agrees:
        return STOP
    return CAPS if only_caps(text, locale) else SET


def _plainly_stops(text: str, english: bool) -> bool:
    stops = (_STOPS_EN if english else _STOPS_ZH).search(text)
    asks = re.search(r"\?|吗|没有|停了没|怎么停|为什么停|是不是|有没有", text)
    return stops is not None and asks is None


def changes(text: str, locale: str) -> bool:
    """改成低于30充50, 恢复自动缴费: about one that is, or was, agreed already."""
    changed, resumed = (_CHANGE_EN, _RESUME_EN) if locale == "en" else (_CHANGE_ZH, _RESUME_ZH)
    return bool(changed.search(text) or resumed.search(text))


def terms(text: str, locale: str) -> dict[str, int]:
    """The terms a folded sentence says surely: below, amount, per_month and per_charge in fen, per_day, ask_above."""
    said = fold(text) if locale == "en" else tight(fold(text))
    said, found = _counted(said, locale == "en")
    each, rest = _each_time(said)
    monthly = parts_of(rest, locale)
    if monthly.vague:
        return found
    single = parts_of(each, locale).cap if each else None
    for name, value in (
        ("below", monthly.below),
        ("amount", monthly.amount),
        ("per_month", monthly.cap if monthly.monthly else None),
        ("per_charge", single),
    ):
        if isinstance(value, Money):
            found[name] = value.fen
    return found


def _counted(said: str, english: bool) -> tuple[str, dict[str, int]]:
    """Times and days are taken out before amounts are looked for: 一天最多两次 is no amount."""
    found: dict[str, int] = {}
    if above := (_ASK_ABOVE_EN if english else _ASK_ABOVE_ZH).search(said):
        found["ask_above"] = _times_of(above, said)
        said = said[: above.start()] + "," + said[above.end() :]
    if daily := (_PER_DAY_EN if english else _PER_DAY_ZH).search(said):
        found["per_day"] = _COUNTS.get(daily["n"]) or int(daily["n"])
        said = said[: daily.start()] + "," + said[daily.end() :]
    return said, found


def _times_of(above: re.Match[str], said: str) -> int:
    """比去年多一倍 is twice as much; 多两倍 is three times."""
    word = above["more"]
    if word == "一倍":
        return 2
    more = re.search("[多高贵](?:出|了)?$", said[: above.start("more")])
    return _TIMES[word] + (1 if more and word in ("两倍", "二倍", "三倍") else 0)


def _each_time(said: str) -> tuple[str, str]:
    """The piece that speaks of each single time, and the rest of the sentence."""
    pieces = _BREAKS.split(said)
    each = [piece for piece in pieces if _EACH.search(piece) and not re.search("月|month", piece)]
    capped = [piece for piece in each if parts_of(piece, "en" if piece.isascii() else "zh").cap is not None]
    return (capped[0], ",".join(p for p in pieces if p != capped[0])) if capped else ("", said)


# --- what is said besides ----------------------------------------------------------------------------------------


def said(
    text: str, expectation: Expectation, locale: str, voice: bool, named: dict[str, Any]
) -> list[Command]:
    """What a folded text says of automatic payments before it is read as an answer; [] when it says nothing of them.

    A person and an end come first, as everywhere; only 自动缴费,停了 means the automatic payment and not the talk.
    """
    begun = business(text, locale)
    if begun == STOP:
        return [wish(STOP, text, named, locale)]
    if isinstance(closed.everywhere(text, locale, voice), Human | Stop):
        return []
    if expectation.in_flow == SET and expectation.asks in {"amount", "confirm", "code"}:
        given = terms(text, locale)
        return [StartFlow(SET, dict(given))] if given else []
    if expectation.in_flow is not None:
        return []
    return _at_rest(text, locale, named)


def _at_rest(text: str, locale: str, named: dict[str, Any]) -> list[Command]:
    english = locale == "en"
    if (_NOTED_EN if english else _NOTED_ZH).search(text):
        return [StartFlow(ACKNOWLEDGE)]
    if (_SKIP_EN if english else _SKIP_ZH).search(text):
        return [StartFlow(SKIP, {k: v for k, v in named.items() if k in ("utility", "relation")})]
    if asks_why(text, locale):
        return [StartFlow(WHY, named)]
    if caps := only_caps(text, locale):
        return [StartFlow(CAPS, _without_amount(named) | dict(caps))]
    return []


def asks_why(text: str, locale: str) -> bool:
    """为什么扣我100块: about money that was taken, not about a bill's sum."""
    if locale == "en":
        return bool(_WHY_EN.search(text))
    return bool(_WHY_ZH.search(text)) and not _NOT_WHY_ZH.search(text)


def _without_amount(named: dict[str, Any]) -> dict[str, Any]:
    return {slot: value for slot, value in named.items() if slot != "amount"}


def wish(flow: str, text: str, named: dict[str, Any], locale: str) -> StartFlow:
    """A sentence that begins such business, with what it names and the terms it says."""
    slots = _without_amount(named)
    if flow == STOP and (_EVERY_EN if locale == "en" else _EVERY_ZH).search(text):
        slots["mandate_choice"] = "all"
    if flow == CAPS:
        return StartFlow(flow, slots | only_caps(text, locale))
    if flow != SET:
        return StartFlow(flow, slots)
    return StartFlow(flow, slots | terms(text, locale) | ({"changes": True} if changes(text, locale) else {}))
