"""The terms of an automatic payment as they are said: below which balance, how much, at most how much, when to ask first.

Every figure is known by the words round it, never by its order, and read by the strict readers; one that is not said surely
is left out here and asked for in the talk.
"""

from __future__ import annotations

import re

from data.money import Money
from nlu.numbers import parse_amount
from nlu.rules import parts_of
from nlu.text import fold, tight

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
# Asked first, whatever it is: each single payment waits for a yes.
_EACH_FIRST_ZH = re.compile(
    "(?:每(?:一)?(?:次|回|笔)|次次|回回)(?:要)?(?:自动)?(?:充|交|扣|缴|付)?(?:钱|费)?(?:之?前|的时候)?,?(?:都|也|要|得|必须|给我|跟我)*(?:先)?(?:来)?(?:问(?:过|一?下|一声|问)?我|征求我|经过我|让我(?:同意|点头|确认))(?:一声|一下|同意|点头|确认|了?再[充交扣缴付])*|"
    "(?:自动)?(?:充|交|扣|缴|付)(?:钱|费)?(?:之)?前,?(?:都|也|要|得)*先?(?:问(?:过|一?下|一声)?我|让我(?:同意|点头|确认))(?:一声|一下)?|(?:都要?|要|得)?先?问(?:过|了)?我(?:同意)?(?:了)?(?:再|才)(?:能)?(?:自动)?[充交扣缴付]|我(?:同意|点头|答应)了?(?:再|才)(?:能)?(?:自动)?[充交扣缴付]|都要?先问(?:过|一声)?我"
)
_EACH_FIRST_EN = re.compile(
    r"\b(?:always )?(?:ask|check with|confirm with|tell and ask) me(?: first)?(?: about it)? (?:each|every|every single) (?:time|payment|top-up|bill|one)\b(?: first)?|\b(?:each|every) time,? (?:please )?ask me(?: first)?\b|\balways (?:ask|check with) me(?: first)?\b|\b(?:ask|check with) me (?:first )?before (?:each|every|any|it|you|paying|topping)\b[^,.;]{0,16}|\bonly (?:if|when|after) i (?:say yes|agree)(?: each time| every time)?|\b(?:but )?ask me first\b"
)
_NOT_FIRST_ZH = re.compile(
    "(?:不用|不要|别|甭|不必|无需|用不着)再?(?:(?:每(?:次|回|笔)|次次)都?再?先?来?问我?|先来?问我?|再?问我了?(?=,?(?:直接|就)))了?"
)
_NOT_FIRST_EN = re.compile(
    r"\b(?:don't|do not|no need to|stop|you needn't|no longer) (?:have to )?ask(?:ing)? me(?: first| each time| every time| any ?more| before)+"
)
_WONDERS = re.compile(r"为什么|为啥|怎么|干嘛|\bwhy\b|\bwhat if\b")
_PER_DAY_ZH = re.compile(
    "(?:一天|每天|一日|每日)(?:里|内)?(?:最多|至多|顶多|不超过|别超过|只)?(?:充|扣|交)?(?P<n>[一二两三1-3])(?:次|回)"
)
_PER_DAY_EN = re.compile(r"\b(?:at most |no more than )?(?P<n>once|twice|one time|two times) (?:a|per) day\b")
_COUNTS = {"一": 1, "二": 2, "两": 2, "三": 3, "once": 1, "one time": 1, "twice": 2, "two times": 2}
# What `ask_above` says beside a number of times: before each single payment, and never more.
EVERY_TIME, NEVER_ASKED = 0, -1
_EACH = re.compile(
    "每次|一次|每笔|一笔|单次|单笔|每回|一回|each time|a time|per payment|per bill|each bill|each payment"
)
_BREAKS = re.compile("[,。;，；]| and ")


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
    said = re.sub("(?<=[充交缴扣存])一(?:次|回|笔|下)", "", said)  # 充一次 is no yuan
    if above := (_ASK_ABOVE_EN if english else _ASK_ABOVE_ZH).search(said):
        found["ask_above"] = _times_of(above, said)
        said = said[: above.start()] + "," + said[above.end() :]
    elif never := (_NOT_FIRST_EN if english else _NOT_FIRST_ZH).search(said):
        found["ask_above"] = NEVER_ASKED
        said = said[: never.start()] + "," + said[never.end() :]
    elif not _WONDERS.search(said) and (each := (_EACH_FIRST_EN if english else _EACH_FIRST_ZH).search(said)):
        found["ask_above"] = EVERY_TIME
        said = said[: each.start()] + "," + said[each.end() :]
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


# --- single terms said anew ---------------------------------------------------------------------------------------

_FIGURE = "(?=个?¥?[0-9零一二两三四五六七八九十百千])"
_INTO = (
    "(?:给我|帮我|替我|再|都|就|也|要|能|是|为|的|额度?|数|钱|标准|把它)*"
    "(?:改成|改为|改到|改|换成|降低到|降到|降成|降|调低到|调高到|调到|调成|调|提高到|提到|升到|涨到|加到|减到|减成|变成|定成|定到|设成|设为|弄成|限制?在|控制在)"
)
# Said anew in other words than at the first time: each becomes the plain form the strict readers know.
_PLAIN_ZH = (
    (re.compile("[从由](?:原来的?|现在的?)?[^,。;改降调提换]{1,8}?(?:块钱?|元)?(?=改|降|调|提|换|变|减|加|升)"), ""),
    (re.compile("(?:别|不要|不|甭)(?:再|是)?(?:每次|一次)?充?[0-9一二两三四五六七八九十百]+(?:块钱?|元)?(?:了|的)?[,。;]"), ""),
    (re.compile(f"(?:低于|少于|不到|门槛|下限|起充点|剩下?|余额){_INTO}(?:低于|少于)?{_FIGURE}"), "低于"),
    (re.compile(f"(?:每个?月|一个月|月)(?:的?(?:最多|至多|顶多|上限|封顶))?{_INTO}(?:最多|不超过?)?{_FIGURE}"), "一个月最多"),
    (re.compile(f"(?:每次|一次|每回|每笔|单次)(?:的?(?:最多|至多|顶多|上限|封顶)){_INTO}{_FIGURE}"), "每次最多"),
    (re.compile(f"(?:最多|至多|顶多|封顶|上限|限额|额度){_INTO}{_FIGURE}"), "最多"),
    (re.compile(f"(?:每次|一次|每回|每笔|单次)(?:充值?|交|缴)?(?:的?(?:金额|钱|数))?(?:{_INTO}|就|只要?)(?:充|交)?{_FIGURE}"), "每次充"),
    (re.compile(f"(?:每次|一次|每回|一回){_FIGURE}"), "每次充"),
    (re.compile(f"(?:充|交)的?(?:钱|金额|数)[^。;]{{0,8}}?{_INTO}{_FIGURE}"), "充"),
    (re.compile("(?:还?剩下?|等?到|只有|掉到|降到)(?:了)?([0-9一二两三四五六七八九十百]+(?:块钱?|元)?)(?:以下)?(?:的?时候?)?(?=再|就|才|自动|,?[充交缴])"), r"低于\1"),
)  # fmt: skip
_N_EN = r"(?=¥?(?:[0-9]|a hundred|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fif|thir|twen|for|six|eigh|nine))"
_PLAIN_EN = (
    (re.compile(rf"\b(?:don't|do not|never|must not|mustn't) (?:charge|take|pay|top up|spend)(?: me)? (?:more than|over|above) {_N_EN}"), "at most "),
    (re.compile(r" *\b(?:instead of|rather than|not|from) ¥?[0-9][0-9,.]*(?: yuan)?\b"), ""),
    (re.compile(rf"\b(?:monthly |month's )(?:cap|limit|maximum|max|ceiling)(?: of it)?(?: down| up)?(?: to| at| is| be| should be| =)? {_N_EN}"), "a month at most "),
    (re.compile(rf"\b(?:cap|limit|maximum|max|ceiling|cap it|limit it)(?: of it| a month| per month)?(?: down| up)?(?: to| at| is| be| should be| =) {_N_EN}"), "at most "),
    (re.compile(rf"\b(?:threshold|trigger)(?: down| up)?(?: to| at| is| be) {_N_EN}"), "below "),
    (re.compile(rf"\b(?:when(?:ever)?|if|once|as soon as) (?:it(?:'s| is)?|there(?:'s| is)|the (?:balance|meter)(?: is)?)? ?(?:gets to|gets below|goes below|hits|at|down to|reaches|only has) {_N_EN}"), "below "),
    (re.compile(rf"\b(?:make|set|change|turn|put|switch|raise|lower|reduce|increase) (?:it|that|this|the (?:automatic )?(?:top[- ]?up|amount|auto\w*))(?: be)?(?: to| at| down to| up to)? (?:only |just )?{_N_EN}"), "top up "),
    (re.compile(rf"\b(?:top it up|topping up|top ups? of|load|put in|charge it)(?: by| with)? {_N_EN}"), "top up "),
    (re.compile(r"\b(?:only|just) (?=¥?[0-9][0-9,.]*(?: yuan)? (?:a|per|each|every) month)"), "at most "),
    (re.compile(r"\b(?:only|just) (?=¥?[0-9][0-9,.]*(?: yuan)? (?:each|every|a|per|at a) time)"), "top up "),
)  # fmt: skip


def clauses(text: str, locale: str) -> dict[str, int]:
    """The terms of `terms`, said anew of what is agreed: 上限改成200, 改成充50. `cap` is one said of no span."""
    said = fold(text) if locale == "en" else tight(fold(text))
    for pattern, plain in _PLAIN_EN if locale == "en" else _PLAIN_ZH:
        said = pattern.sub(plain, said)
    found = terms(said, locale)
    whole = parts_of(_counted(said, locale == "en")[0], locale)
    if {"per_month", "per_charge"} & found.keys() or whole.vague or not isinstance(whole.cap, Money):
        return found
    return found | {"cap": whole.cap.fen}


_FROM_TO_ZH = re.compile(
    "(?:把|从|由|将)?(?:原来的?|现在的?)?(?P<was>[0-9零一二两三四五六七八九十百千]+(?:块钱?|元)?)(?:给我|帮我|都)?(?:改成|改为|改到|换成|降到|降成|调到|提到|提高到|加到|减到|变成)(?P<to>[0-9零一二两三四五六七八九十百千]+(?:块钱?|元)?)(?:吧|了|就行|好了)?[。!]*$"
)
_FROM_TO_EN = re.compile(
    r"\b(?:from )?(?P<was>¥?[0-9]+)(?: yuan)? (?:down |up )?(?:to|into|becomes) (?P<to>¥?[0-9]+)(?: yuan)?(?: please)?[.!]*$"
)


def from_to(text: str, locale: str) -> dict[str, int]:
    """从300改成200: what a term was and what it shall be, in fen, where only the figures say which one is meant."""
    said = fold(text) if locale == "en" else tight(fold(text))
    match = (_FROM_TO_EN if locale == "en" else _FROM_TO_ZH).search(said)
    if match is None:
        return {}
    was, to = parse_amount(match["was"], locale), parse_amount(match["to"], locale)
    return {"was": was.fen, "cap": to.fen} if isinstance(was, Money) and isinstance(to, Money) else {}
