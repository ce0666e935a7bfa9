"""自动缴费 in plain words: to set it, change it, let it rest, stop it, look at it, and to ask why it took money.

Every figure is known by the words round it, never by its order, and read by the strict readers; one that is not said surely
is left out here and asked for in the talk.
"""

from __future__ import annotations

import re
from typing import Any

from nlu import closed, rests
from nlu import mandate_also as also
from nlu.commands import Affirm, CancelFlow, Command, Expectation, Explain, Human, StartFlow, Stop
from nlu.mandate_terms import clauses, from_to, terms

SET, STOP, PAUSE, LIST, WHY = "set_mandate", "stop_mandate", "pause_mandate", "list_mandates", "why_charged"
ACKNOWLEDGE, SKIP, CHANGE = "acknowledge_warning", "skip_debit", "change_mandate"
DECLINE, PURSE = "decline_offer", "change_purse"
# What is understood from plain words alone: no sentence is guessed to mean it.
SAID_PLAINLY = frozenset({PAUSE, ACKNOWLEDGE, SKIP, CHANGE, DECLINE, PURSE})

_AUTO_ZH = re.compile(
    "自动(?!扶梯|售货|取款|柜员|档|门|化)|代扣|自己(?:会)?扣|它(?:能|会|能不能|会不会)?自己(?:能|会)?(?:充|交|缴|续)|(?:低于|少于|不足|不到).*[充交缴]|每个?月(?:都|帮我|给我)?(?:自动)?(?:充|交|扣)"
)
_AUTO_EN = re.compile(
    r"\bauto(?:matic(?:ally)?|pay|-pay|pays)?\b|\bdirect debit\b|\bstanding order\b|\bwhenever\b|\bbelow\b|\bevery month\b|\bby itself\b|\btops? itself up\b|\bitself\b"
)
_ENDS = "(?:停(?![电水气])|关|取消|解除|撤|解约|去掉|删|拿掉)"
_STOPS_ZH = re.compile(
    f"{_ENDS}(?:掉|了|一下)?[^,。;]{{0,10}}(?:自动|代扣)|(?:自动|代扣)[^,。;]{{0,12}}(?:{_ENDS}|不要了|不用了|不想要|别弄了|别开了)|"
    "(?:别|不要|不用|不想|甭|不许|莫|勿要|不必)(?:再|给我|帮我|替我|让它|它|你|们|叫|要)*[^,。;]{0,4}(?:自动|代扣)|(?:自动|代扣)[^。;]{0,20},(?:那|我|还是|就|先|你|请|给我|帮我|替我|把它|把这个|都|全)*(?:停|停了|停掉|关了|关掉|取消|不要了|撤了|去掉)(?:吧|了|啊|得了|算了|一下)*$"
)
_STOPS_EN = re.compile(
    r"\b(?:stop|cancel|turn off|switch off|disable|end|remove|quit|no more|get rid of)\b[^,.;]{0,40}\b(?:auto\w*|direct debit|standing order|by itself)|"
    r"\b(?:don't|do not|never|mustn't)\b[^,.;]{0,30}\b(?:auto\w*|by itself|direct debit)|\bauto[\w -]{0,30}\b(?:off|away)\b"
)
_EVERY_ZH = re.compile("都|全部|所有|全停|统统|通通|一个不留")
_EVERY_EN = re.compile(r"\b(?:all|every|everything|both)\b")
_PAUSE_ZH = re.compile(
    "暂停|下个?月再|月(?:[0-9一二三四五六七八九十]{1,3}[号日])?再(?:开始|接着|恢复)|过(?:两|几|一)(?:个月|天|阵)再|先停(?:一|几|两|三)|停(?:一|几|两|三)(?:天|阵|个?月|下)|停[到至]|停(?:[一二两三四五六七八九十半]|[0-9]{1,2})个?(?:月|天|周|星期|礼拜|年)|歇(?:一|几)|缓一缓|先缓"
)
_PAUSE_EN = re.compile(r"\b(?:pause|suspend|hold off|on hold|for a while|take a break)\b")
_RESUME_ZH = re.compile("恢复|重新|接着|继续|再打开|再开|又(?:要|想)|重开")
_RESUME_EN = re.compile(r"\b(?:resume|restart|again|re-?enable|back on|unpause)\b")
_CHANGE_ZH = re.compile("改|换成|[调降减加升](?:到|成|整|高|低|为|少)|变成|提(?:高|到)")
_CHANGE_EN = re.compile(
    r"\b(?:change|instead|make (?:it|that)|raise|lower (?:it|the|my)|increase|decrease|reduce|adjust|modify|cap it|cut)\b"
)
_LIST_ZH = re.compile(
    "哪些|有没有|有什么|什么样|几个|几样|看看|查|列|还(?:在|开|有效)|设了(?:没|吗|什么|啥|哪|几)|开了(?:没|吗)|是不是|怎么停|为什么停|停了(?:吗|没|没有)|情况|清单|"
    "多少|几次|几回|几遍|[充交扣缴开设]不[充交扣缴开设]|[充交扣缴]没[充交扣缴]|有啥|都啥|谁(?:给|帮|替)?我?(?:设|开|弄|办)|什么时候|啥时候|几时|哪天|几号|管不管用|管用|好使|谁的钱|我的钱|还剩"
)
_LIST_EN = re.compile(
    r"\b(?:which|what|list|show|see|any|are there|do i have|is there|look at|still on|is .{1,20} on|how much|how often|how many|when (?:did|will|does|is)|whose|who set)\b|\?$"
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

_ENOUGH_ZH = re.compile(
    "就(?:行|够|好|可以|得)|够了|得了|为止|(?:降|调|改|提|换|减|加|升|变|定)(?:到|成|低|高|为|少|多)|改(?=[0-9一二两三四五六七八九])"
)
_ENOUGH_EN = re.compile(
    r"\b(?:is enough|will do|lower|raise|change|reduce|increase|make|set|instead|cap it|cut|only|just)\b"
)
_TO_AUTO = re.compile("(?:改|换|变)(?:成|为)?自动|都自动")  # 改成自动缴费 sets one up
_TO_AUTO_EN = re.compile(r"\b(?:change|switch|move|go) (?:it |them |this |over )?to (?:an? )?(?:auto|direct)")
_EVERY_TIME = re.compile(
    r"每次|每回|每笔|(?:别|不要)再?充[0-9一二两三四五六七八九十百]+(?:块钱?|元)?了|^一回[^,。]{1,6}$|\b(?:each|every|a) time\b"
)
_EACH_TIME = re.compile("一次|一回|时|再|when|below")


def business(text: str, locale: str) -> str | None:
    """Which business with automatic payments a folded sentence begins; None when it is about something else."""
    english = locale == "en"
    if not (_AUTO_EN if english else _AUTO_ZH).search(text):
        return None
    rule = {"below", "amount"} & terms(text, locale).keys()
    if (_PAUSE_EN if english else _PAUSE_ZH).search(text) and not rule:
        return PAUSE
    if (_LIST_EN if english else _LIST_ZH).search(text) and not (
        clauses(text, locale) or _plainly_stops(text, english)
    ):
        return WHY if _LAST_TIME.search(text) else LIST
    if (_STOPS_EN if english else _STOPS_ZH).search(text) and not rule:
        return STOP
    return CHANGE if _changes_terms(text, locale) else SET


def _changes_terms(text: str, locale: str) -> bool:
    """改成低于30充50, 一个月最多200就行: other terms for what is agreed; a whole rule said anew agrees to one."""
    changed, to_auto, resumed = (
        (_CHANGE_EN, _TO_AUTO_EN, _RESUME_EN) if locale == "en" else (_CHANGE_ZH, _TO_AUTO, _RESUME_ZH)
    )
    said = clauses(text, locale)
    if resumed.search(text) or (to_auto.search(text) and not said):
        return False
    vague = _TOO_LITTLE.search(text) is not None and not said
    return bool(changed.search(text)) or bool(only_caps(text, locale)) or _later(text, said) or vague


# 自动充的额度不够用了, 自动充少一点: which term is asked then.
_TOO_LITTLE = re.compile("额度|限额|上限|[少多低高小大](?:[充扣交缴])?(?:一?点|些)")


def _later(text: str, said: dict[str, int]) -> bool:
    """低于10块再充: only when, not how much."""
    return said.keys() == {"below"} and bool(re.search("[再才就]", text))


def only_caps(text: str, locale: str) -> dict[str, int]:
    """一个月最多200就行, 自动缴费上限改成200: caps and no other term, said of what is agreed already; {} otherwise."""
    if not (_ENOUGH_EN if locale == "en" else _ENOUGH_ZH).search(text):
        return {}
    found = clauses(text, locale)
    return found if found.keys() <= {"per_month", "per_charge", "cap"} else {}


def said_anew(text: str, locale: str) -> dict[str, int]:
    """Terms said by themselves, with no word of automatic payments: 改成充50, make it 50 when below 10; {} otherwise.

    充五十 alone is a payment, and a threshold with its amount is a whole rule: neither is taken for a change.
    """
    found = clauses(text, locale)
    changed = _CHANGE_EN if locale == "en" else _CHANGE_ZH
    if changed.search(text) or ("amount" in found and _each(text, locale)):
        return found
    return found if found and not {"amount", "cap"} & found.keys() else only_caps(text, locale)


def _each(text: str, locale: str) -> bool:
    """每次充两百 is no single payment; 一次充两百 may be one, but for 就行."""
    if _EVERY_TIME.search(text):
        return True
    return bool(_EACH_TIME.search(text)) and bool((_ENOUGH_EN if locale == "en" else _ENOUGH_ZH).search(text))


_LAST_TIME = re.compile(
    "(?:上|前|最近一?)(?:次|回)|刚才|刚刚|\\blast time\\b|\\bdid (?:you|it) last\\b|\\bmost recent\\b"
)


def _plainly_stops(text: str, english: bool) -> bool:
    stops = (_STOPS_EN if english else _STOPS_ZH).search(text)
    asks = re.search(r"\?|吗|没有|停了没|怎么停|为什么停|是不是|有没有", text)
    return stops is not None and asks is None


def changes(text: str, locale: str) -> bool:
    """改成低于30充50, 恢复自动缴费: about one that is, or was, agreed already."""
    changed, resumed = (_CHANGE_EN, _RESUME_EN) if locale == "en" else (_CHANGE_ZH, _RESUME_ZH)
    return bool(changed.search(text) or resumed.search(text))


# --- what is said besides ----------------------------------------------------------------------------------------


def said(
    text: str, expectation: Expectation, locale: str, voice: bool, named: dict[str, Any]
) -> list[Command]:
    """What a folded text says of automatic payments before it is read as an answer; [] when it says nothing of them.

    A person and an end come first, as everywhere; only 自动缴费,停了 means the automatic payment and not the talk.
    """
    begun = business(text, locale)
    if begun != STOP and (beside := _beside_the_terms(text, expectation, locale, voice, named)):
        return beside
    if begun == STOP:
        stops = wish(STOP, text, named, locale)
        return [CancelFlow(), stops] if expectation.in_flow in (SET, CHANGE) else [stops]
    if isinstance(closed.everywhere(text, locale, voice), Human | Stop):
        return []
    if begun == SET and _SAFE.search(text):
        return [Explain("automatic")]
    if begun == WHY:
        return [StartFlow(WHY, _without_amount(named))]
    if begun == LIST or _asks_which(text, locale):
        return [StartFlow(LIST, _without_amount(named))]
    if expectation.in_flow in (SET, CHANGE, PURSE) and expectation.asks == "confirm" and agrees(text, locale):
        return [Affirm("spoken" if voice else "word")]
    flow = expectation.in_flow or ""
    if expectation.asks in _COMPLETED_AT.get(flow, ()):
        given = terms(text, locale) if flow == SET else clauses(text, locale)
        other = {k: v for k, v in named.items() if k == "utility" and flow == CHANGE}
        return [StartFlow(flow, given | other)] if given else []
    if expectation.in_flow is not None:
        return []
    if declined := _declines(text, expectation, locale):
        return [declined]
    return _at_rest(text, locale, named, begun)


def _beside_the_terms(
    text: str, expectation: Expectation, locale: str, voice: bool, named: dict[str, Any]
) -> list[Command]:
    """Another purse, or the same again for another account; a person and an end come first, as everywhere."""
    if isinstance(closed.everywhere(text, locale, voice), Human | Stop):
        return []
    if also.names_another_purse(text, locale):
        return [StartFlow(PURSE, _whose(named))]
    if expectation.asks in ("open", "choice") and also.wants_the_same(text, locale):
        whose = {
            slot: value for slot, value in named.items() if slot in ("utility", "relation", "person_name")
        }
        return [StartFlow(SET, whose | dict(terms(text, locale)) | {"same_terms": True})]
    return []


# 要设吗 — 要设: a yes in the words of the question, whole and alone; nothing else of a sentence may stand beside it.
_AGREES_ZH = re.compile(
    "^(?:嗯|好|行|对|那|就|我|都)*,?(?:要的?|要[设改换]|[设改换]|[设改换](?:上|好|成这样)|(?:就)?(?:这么|这样|照这个|按这个)[设改换])(?:吧|啊|呀|了|的|好了|就行|谢谢)*[。.!]*$"
)
_AGREES_EN = re.compile(
    r"^(?:yes |ok |okay |please |sure )*(?:set it up|change it|do change it|do set it up|make the change)(?: then| please| thanks)*[.!]*$"
)
_COMPLETED_AT = {SET: {"amount", "confirm", "code"}, CHANGE: {"amount", "confirm", "code", "choice"}}
_SAFE = re.compile(
    "万一|[充扣交]错|乱[扣充交]|多[扣充]了?(?:咋|怎么)办|安全|靠谱|可靠|骗|保险|\\bsafe\\b|\\bscam\\b"
)
_WHICH_ZH = re.compile(
    "^(?:那|请问|请|帮我|给我|我想|想|看看|查查|查一?下|问一?下|现在|目前|到底|一共)*我?(?:现在|目前|都|到底|一共|总共|以前|之前)*(?:设|设置|开|办|弄|定|绑)(?:了|过|好)(?:的)?(?:都)?(?:有|是)?(?:哪些|哪几[个样种]|几[个样种]|什么|啥|些什么|些啥)(?:啊|呀|呢|来着)?[?。]*$"
)
_WHO_SET_ZH = re.compile(
    "^(?:这|那|它|是|到底)*谁(?:给|帮|替)(?:我|我们|我家)(?:设|开|弄|办)(?:置|通)?(?:的|了)?(?:啊|呀)?[?。]*$"
)
_WHICH_EN = re.compile(
    r"^(?:so |and |please |tell me |show me |remind me )*(?:which|what)(?: ones?| of them| all)?(?: have i| did i| do i have| i have| i| is| are| has been|'s)(?: all)? (?:set(?: up)?|put in place|arranged)(?: so far| now| already| here)?[?.!]*$"
)
_PAUSE_IT_ZH = re.compile(
    "^(?:请|那|先|就|把它|给我|帮我|都|我想|能不能|可不可以|它|吧)*(?:暂停|停一停|歇一?歇|缓一?缓|(?:停|歇|缓)(?:它)?(?:一|几|两|三|半)(?:个)?(?:天|周|星期|礼拜|阵子?|段时间|个?月))(?:一?下|一?阵子?|一段时间|一?个月|几天|它|吧|了|行吗|好吗|可以吗)*[。!?]*$"
)
_PAUSE_IT_EN = re.compile(
    r"^(?:please |can you |could you |just |let's |ok |i want to |i'd like to )*(?:pause|suspend|freeze|hold) (?:it|them|this|that|everything)\b"
)
_OFF_EN = re.compile(
    r"^(?:please |can you |could you |ok )*(?:turn|switch) (?:off (?:it|them|the [a-z ]{2,20} one)|(?:it|them|the [a-z ]{2,20} one) off)(?P<now> for (?:now|a while|a month|the moment))?(?: please)?[.!?]*$"
)
_GO_ON_ZH = re.compile(
    "^(?:请|那|就|把它|给我|帮我|可以)*(?:恢复|重新打开|再打开|重开|接着用|(?:接着|继续|还是接着|还接着)(?:自动)?(?:缴|交|充|扣)(?:费)?)(?:它|吧|了|一?下)*[。!]*$"
)
_GO_ON_EN = re.compile(
    r"^(?:please |can you |could you |ok )*(?:(?:resume|restart|unpause|re-?enable) (?:it|them|that)|(?:go on|keep|continue|carry on) paying(?: (?:it|them|by itself))?|(?:turn|switch) (?:it|them) (?:back )?on(?: again)?)(?: please| now| again)*[.!?]*$"
)


def agrees(text: str, locale: str) -> bool:
    """A yes to 要设吗 or 要改吗 said with the question's own verb."""
    return bool((_AGREES_EN if locale == "en" else _AGREES_ZH).search(text))


def _asks_which(text: str, locale: str) -> bool:
    """我设了哪些: nothing else is set up here, so it needs no other word."""
    if locale == "en":
        return bool(_WHICH_EN.search(text))
    return bool(_WHICH_ZH.search(text) or _WHO_SET_ZH.search(text))


_NOT_NOW_ZH = re.compile(
    "^(?:哦|嗯|那|我|先|现在|暂时|这次|今天)*(?:不用|不要|不|别|甭)(?:了|再)?(?:充|交|付|缴|管)?(?:了|吧|啊|谢谢|现在|这次)*[。.!]*$"
)
_NOT_NOW_EN = re.compile(
    r"^(?:no|nope|not now|not this time|not yet|don't|later)(?:,? thanks| thank you)?[.!]*$"
)


def _declines(text: str, expectation: Expectation, locale: str) -> StartFlow | None:
    """A plain no to what was offered with the news: 要现在充吗 — 不用."""
    if expectation.asks != "choice" or not (_NOT_NOW_EN if locale == "en" else _NOT_NOW_ZH).search(text):
        return None
    if {"agree_to_debit", SKIP} & expectation.choices.keys():
        return StartFlow(SKIP)
    return StartFlow(DECLINE) if "pay_bill" in expectation.choices else None


def _at_rest(text: str, locale: str, named: dict[str, Any], begun: str | None) -> list[Command]:
    english = locale == "en"
    if (_NOTED_EN if english else _NOTED_ZH).search(text):
        return [StartFlow(ACKNOWLEDGE)]
    if (_SKIP_EN if english else _SKIP_ZH).search(text):
        return [StartFlow(SKIP, _whose(named))]
    if asks_why(text, locale):
        return [StartFlow(WHY, named)]
    if (_PAUSE_IT_EN if english else _PAUSE_IT_ZH).search(text) or _rests(text, english):
        return [StartFlow(PAUSE, _whose(named) | _rest(text, locale))]
    if english and (off := _OFF_EN.search(text)):
        return [StartFlow(PAUSE if off["now"] else STOP, _whose(named))]
    if (_GO_ON_EN if english else _GO_ON_ZH).search(text):
        return [StartFlow(SET, _whose(named) | {"changes": True})]
    if begun is None and not clauses(text, locale) and _term_alone(text, locale):
        return [StartFlow(CHANGE, _without_amount(named))]
    if begun is None and (anew := said_anew(text, locale) or from_to(text, locale)):
        return [StartFlow(CHANGE, _without_amount(named) | dict(anew))]
    return []


def _rests(text: str, english: bool) -> bool:
    """停到开春, 一直停着: said of an automatic payment only."""
    if _OF_SUPPLY.search(text):
        return False
    if english:
        return rests.rests_open(text, "en") and len(text) < _SHORT
    until = _REST_UNTIL_ZH.search(text) is not None and rests.span(text, "zh") is not None
    return until or _for_a_while(text) or rests.not_until(text)


_OF_SUPPLY = re.compile("停[水电气]|[水电气]停")
_SHORT = 40
_REST_UNTIL_ZH = re.compile(
    "^(?:那|就|先|请|还是|给我|帮我|把它|它|嗯|,)*(?:先)?(?:停|歇|缓)[到至][^,。;?]{1,10}(?:再说|再交|再充|再开)?(?:吧|了|啊)*[。!]*$|^(?:那|就|先|还是|让它)*一直(?:停|歇)(?:着|下去)?(?:吧|了|啊)*[。!]*$"
)


def _rest(text: str, locale: str) -> dict[str, Any]:
    """How long it shall rest, where that is said."""
    said = rests.span(text, locale)
    return {"rest_span": said} if said else {}


def _for_a_while(text: str) -> bool:
    """我是说停一个月,别全停了: only an automatic payment can be stopped for a month."""
    return bool(re.search("停(?:它)?(?:[一两三四五六半几]|[0-9]{1,2})个?月", text))


def _term_alone(text: str, locale: str) -> bool:
    """把限额弄小一点: which term, but not how much."""
    pattern = _TERM_EN if locale == "en" else _TERM_ZH
    return bool(pattern.search(text))


_TERM_ZH = re.compile(
    "(?:限额|额度|上限|封顶)[^,。;]{0,6}(?:弄|改|调|降|提|加|减|放|设)(?:得|到)?(?:小|少|低|高|大|多|一下|一改)|(?:弄|改|调|降低|提高|加|减)(?:一?下|一改)?(?:那个|这个)?(?:限额|额度|上限)"
)
_TERM_EN = re.compile(
    r"\b(?:change|lower|raise|reduce|increase|adjust) (?:the|my|that) (?:monthly )?(?:cap|limit|threshold)\b"
)


def asks_why(text: str, locale: str) -> bool:
    """为什么扣我100块: about money that was taken, not about a bill's sum."""
    if locale == "en":
        return bool(_WHY_EN.search(text))
    return bool(_WHY_ZH.search(text)) and not _NOT_WHY_ZH.search(text)


def _whose(named: dict[str, Any]) -> dict[str, Any]:
    return {slot: value for slot, value in named.items() if slot in ("utility", "relation")}


def _without_amount(named: dict[str, Any]) -> dict[str, Any]:
    return {slot: value for slot, value in named.items() if slot != "amount"}


def wish(flow: str, text: str, named: dict[str, Any], locale: str) -> StartFlow:
    """A sentence that begins such business, with what it names and the terms it says."""
    slots = _without_amount(named)
    if flow == STOP and (_EVERY_EN if locale == "en" else _EVERY_ZH).search(text):
        slots["mandate_choice"] = "all"
    if flow == CHANGE:
        return StartFlow(flow, slots | (clauses(text, locale) or from_to(text, locale)))
    if flow != SET:
        return StartFlow(flow, slots | (_rest(text, locale) if flow == PAUSE else {}))
    return StartFlow(flow, slots | terms(text, locale) | ({"changes": True} if changes(text, locale) else {}))
