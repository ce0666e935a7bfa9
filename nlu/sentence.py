"""The sentence that begins some business: what is wanted, of which bill, whose, where and how much, in the order it was said."""

from __future__ import annotations

import re
from typing import Any

from data.money import Money
from nlu import aliases, mandates
from nlu.commands import StartFlow
from nlu.digits import find_number
from nlu.numbers import Found, find_amount
from nlu.text import clauses

_WISH_BREAK_ZH = re.compile(
    "顺便|然后再?|另外|还有(?=.*[查看交付缴])|接着|再(?=帮我|给我|查|看|把)|(?<=费)再(?=[交缴付充])"
)
_WISH_BREAK_EN = re.compile(
    r"\b(?:and then|and also|and|also|then|plus|by the way|while you're at it|as well as)\b"
)
_PAY_ZH = re.compile(
    "交(?!通|易|代|流|接|往|给你了)|缴|付(?!款码)|充(?!电器|电宝|电桩|电线|足|分|满)|买(?=电|水|气)|冲(?=值|[0-9一二两三四五六七八九十]|电费|水费)|结(?:一?下|掉|清)(?=.*费)|(?:电费|水费|燃气费|煤气费|费)(?:给我|帮我)?(?:结|清|弄|办)(?:一下|掉|了)|代(?:缴|交)|叫费|脚费|缴废"
)
_PAY_EN = re.compile(
    r"\b(?:pay|paying|settle|top up|top-up|topup|recharge|load|clear|take care of|put .{1,20} on)\b"
)
_CHECK_ZH = re.compile(
    "查(?!收据)|看看|看一?下|看一看|多少|余额|还有|剩|欠|够不够|还能用|几钿|几块|用了|账单|单子|情况|还够"
)
_CHECK_EN = re.compile(
    r"\b(?:check|how much|balance|left|owe|owing|due|look up|look at|show me|see|what's (?:my|the|on)|what is (?:my|the)|remaining|status of|enough)\b"
)
_FIND_ZH = re.compile(
    "(?:户号|户头号|客户编号|客户号|用户编号|缴费号|编号|账号|号码).{0,6}(?:不知道|忘了|忘记|不记得|记不得|记不住|没有|找不到|找不着|在哪|哪里|哪儿|怎么找|怎么查|怎么看|是多少|是啥|是什么|查一下|帮我找|丢了)|(?:不知道|忘了|忘记|不记得|记不得|记不住|没有|找不到|找不着|查一?下?|找一?下?|看一?下?|不晓得|弄丢了?|怎么找|怎么查|哪里看|在哪看|哪看).{0,10}(?:户号|户头号|客户编号|客户号|用户编号|缴费号|账号|编号|号码)"
)
_FIND_EN = re.compile(
    r"\b(?:find|look up|where(?:'s| is| can i (?:find|see))|don't (?:know|have|remember)|do not (?:know|have|remember)|forgot|lost|can't (?:find|remember)|what(?:'s| is)|which is)\b.{0,30}\b(?:account|customer|meter|user|consumer|reference) (?:number|no|id)\b"
)
# Business of which the grammar must keep its hands off: paper, shops, refunds, permissions.
_OTHER_ZH = re.compile(
    "收据|发票|凭证|小票|现金|附近|网点|营业厅|便利店|哪里(?:能|可以)?(?:交|缴|付)|在哪(?:里|儿)?(?:能|可以)?(?:交|缴|付)|退款|退钱|退给|退回|授权|谁看过|盖章|上门|手机费|手机号|话费充|充话费|贷款|花呗|信用卡|转账|转钱|转给|社保|医保|学费|房租|物业费|停车费|罚款|油费|加油|公交卡|交通卡|饭卡|游戏|会员|q币|红包|火车票|机票|电影票|快递|外卖|彩票|税|理财|股票|基金|押金|保险|泄漏|漏气|漏电|漏水|着火|冒烟|跳闸|坏了|月供|房贷|车贷|捐"
)
_OTHER_EN = re.compile(
    r"\b(?:receipt|invoice|cash|nearest|nearby|shop|store|refund|money back|loan|mortgage|credit card|transfer|taxi|taxes|tax|rent|tuition|insurance|fine|parking|mobile|cell phone|groceries|ticket|netflix|wallet|subscription|donate|salary|pension|stocks?|crypto|bitcoin|lottery|leak(?:s|ing)?|smell|smoke|broken)\b"
)
# The bill paid last, once more, when no bill is named.
_LIKE_LAST_ZH = re.compile(
    "^(?:我|要|想|就|还是?|请|帮我|给我|再)*(?:[交缴付充](?:个|一个)?)?(?:跟|和|同|照|像)?(?:上次|上一?回|前一?次)(?:那样|那个|一样|的|一样的|交的|照样)+(?:那样|一样|来|再?[交缴付充](?:一次|一遍)?)*(?:吧|了|就行)?[。.!]*$"
)
_LIKE_LAST_EN = re.compile(
    r"^(?:please |pay |i want |do |just )*(?:the )?same as (?:last time|before)(?: again| please)*[.!]*$|^(?:please )?pay (?:it )?(?:again )?like last time[.!]*$"
)
_HOW_ZH = re.compile(
    "(?:怎么|怎样|咋|如何)(?:交|缴|付|充|弄|用|操作|办)|(?:能|会|可以)不能|能干(?:什么|啥|嘛)|会什么|安全吗|收(?:不收)?(?:手续|服务)费"
)
_HOW_EN = re.compile(
    r"\bhow (?:do|can|does|should) (?:i|you|one|we|this)\b|\bwhat can you\b|\bis it safe\b|\bdo you charge\b"
)
_PAST_ZH = re.compile(
    "(?:已经|昨天|刚才|刚刚|上次|前天|上个?月|早就)[^,。]{0,8}(?:交|付|缴|充)(?:过|了|掉)|(?:交|付|缴|充)(?:过了|过没有?|过吗|完了没|了没|了吗|了伐|上了吗|上了没|上了伐|进去了吗|成功了?吗)|到账了?(?:没|吗|伐)|(?:有没有|是不是)(?:交|付|缴|充)|没(?:交|付|缴|充)|谁(?:交|付|要交|要缴|该交)"
)
_PAST_EN = re.compile(
    r"\b(?:already|yesterday|last (?:week|month)|have i|did i|has .{1,12}|was .{1,12}) ?(?:paid|pay|been paid|topped up)\b|\bpaid (?:already|yesterday)\b|\bwho (?:has|needs) to pay\b"
)
# 我儿子昨天讲 names who talked, not whose bill it is.
_TELLS = re.compile(
    r"(?:子|女|儿|妈|爸|伴|公|婆|爷|奶|哥|姐|弟|妹)[^,。]{0,4}(?:说|讲|告诉|教我|叫我|让我|问)|\b(?:told|said|says|asked|taught)\b"
)
_NEGATED_ZH = re.compile("(?:不|别|没|甭)(?:要|想|用|能|肯|是来|是要)?(?:帮我|给我)?(?:交|缴|付|充)(?!费单)")
_NEGATED_EN = re.compile(r"\b(?:don't|do not|won't|not|never|can't|cannot|isn't|didn't)\b")


def wishes(text: str, locale: str) -> list[StartFlow]:
    """The pieces of business a folded sentence surely begins, with their slots; [] when the grammar is not sure."""
    english = locale == "en"
    if (_OTHER_EN if english else _OTHER_ZH).search(text):
        return []
    if (_HOW_EN if english else _HOW_ZH).search(text) and not _only_politely(text, english):
        return []
    if (_LIKE_LAST_EN if english else _LIKE_LAST_ZH).search(text):
        return [StartFlow("pay_again")]
    if standing := mandates.business(text, locale):
        return [mandates.wish(standing, text, slots(text, locale), locale)]
    if (_FIND_EN if english else _FIND_ZH).search(text):
        return [StartFlow("find_account", slots(text, locale))]
    return _with_whole_sentence(_in_order(_pieces(text, english), locale), text, locale)


def _only_politely(text: str, english: bool) -> bool:
    """能不能自己充 wishes for an automatic payment; 怎么设自动缴费 asks for the way."""
    return (
        not english
        and bool(re.search("(?:能|会|可以)不能", text))
        and mandates.business(text, "zh") is not None
    )


def slots(text: str, locale: str) -> dict[str, Any]:
    """The values a folded text names for a piece of business, in canonical form."""
    found: dict[str, Any] = {}
    if kinds := aliases.utilities(text, locale):
        found["utility"] = kinds[0].value
    number = find_number(text)
    if isinstance(number, str):
        found["account"] = number
    amount = find_amount(text, locale)
    if isinstance(amount, Found) and isinstance(amount.amount, Money):
        found["amount"] = amount.amount.fen
    for slot, value in (
        ("relation", None if _TELLS.search(text) else aliases.relation(text, locale)),
        ("city", aliases.city(text, locale)),
        ("person_name", aliases.person_name(text, locale)),
    ):
        if value:
            found[slot] = value
    return found


def names_other_business(text: str, locale: str) -> bool:
    """Receipts, cash, loans, telephone credit …: not a household bill, whatever verb stands beside it."""
    return bool((_OTHER_EN if locale == "en" else _OTHER_ZH).search(text))


def is_how(text: str, locale: str) -> bool:
    """怎么交电费 asks for the way, not for the thing."""
    return bool((_HOW_EN if locale == "en" else _HOW_ZH).search(text))


def unwilling(text: str, locale: str) -> bool:
    """Speaks of not paying, or of having paid: no guess may turn it into a payment."""
    past, negated = (_PAST_EN, _NEGATED_EN) if locale == "en" else (_PAST_ZH, _NEGATED_ZH)
    return bool(past.search(text) or negated.search(text))


def _pieces(text: str, english: bool) -> list[str]:
    breaks = _WISH_BREAK_EN if english else _WISH_BREAK_ZH
    return [
        piece for clause in clauses(text, spaces=False) for piece in breaks.split(clause) if piece.strip()
    ]


def _in_order(pieces: list[str], locale: str) -> list[StartFlow]:
    """One wish for each piece with a verb; a piece with values only completes the wish before it."""
    begun: list[StartFlow] = []
    leading: dict[str, Any] = {}
    for piece in pieces:
        flow, values = _flow(piece, locale), slots(piece, locale)
        if flow is None and begun and not set(values) & set(begun[-1].slots):
            begun[-1] = StartFlow(begun[-1].flow, begun[-1].slots | values)
        elif flow is None and begun and "utility" in values:
            begun.append(StartFlow(begun[-1].flow, values))
        elif flow is None:
            leading |= values
        else:
            begun += [
                StartFlow(flow, slot_set) for slot_set in _each_utility(piece, leading | values, locale)
            ]
            leading = {}
    return begun


def _each_utility(piece: str, values: dict[str, Any], locale: str) -> list[dict[str, Any]]:
    """水电气都交了 is three wishes."""
    kinds = aliases.utilities(piece, locale)
    return [values | {"utility": kind.value} for kind in kinds] if len(kinds) > 1 else [values]


def _flow(piece: str, locale: str) -> str | None:
    english = locale == "en"
    checks = (_CHECK_EN if english else _CHECK_ZH).search(piece)
    pays = (_PAY_EN if english else _PAY_ZH).search(piece)
    if (_PAST_EN if english else _PAST_ZH).search(piece) and aliases.utilities(piece, locale):
        return "check_balance"  # 电费已经交过了怎么还催: look, and never pay twice
    unsure = (_PAST_EN if english else _PAST_ZH).search(piece) or (
        _NEGATED_EN if english else _NEGATED_ZH
    ).search(piece)
    if unsure:
        return "check_balance" if checks and aliases.utilities(piece, locale) else None
    if pays and not (checks and _asks_how_much(piece, english)):
        return "pay_bill"
    return "check_balance" if checks and _about_a_bill(piece, locale) else None


def _asks_how_much(piece: str, english: bool) -> bool:
    """要交多少电费 asks; it does not pay."""
    return bool(
        re.search(
            r"\bhow much\b|\bdo i (?:owe|have to pay)\b" if english else "多少|几钿|几块|该交|要交吗|要不要",
            piece,
        )
    )


def _about_a_bill(piece: str, locale: str) -> bool:
    return bool(aliases.utilities(piece, locale) or re.search("余额|欠费|账单|balance|bill", piece))


def _with_whole_sentence(begun: list[StartFlow], text: str, locale: str) -> list[StartFlow]:
    """A payment needs a sign that a household bill is meant: a utility, an account, an amount or a relative."""
    if len(begun) != 1:
        return begun
    only = begun[0]
    if (
        only.flow == "pay_bill"
        and not only.slots
        and not re.search("费|账单|单子|再付一次|再交一次|都|bill|again", text)
    ):
        return []
    return begun
