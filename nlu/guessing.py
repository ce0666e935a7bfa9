"""Where a guess needs a word beside it: business that ends, sends or pays something is begun by nobody's likeness alone."""

from __future__ import annotations

import re

from nlu import notice_wishes

# One or two letters of Chinese look like anything: 付 is an answer that came late, and no question about last month.
_SHORTEST_ZH = 2
_ENDS = (
    r"(?<!是)不(?!是)|别|甭|莫|勿|取消|撤|收回|拿回|要回|收(?:了|掉|走)|作废|禁止|踢|移除|去掉|解|停|断|删|终止|结束|关掉|"
    r"\b(?:stop|end|cancel|revoke|remove|withdraw\w*|unlink|undo|delete|disconnect|block|take|cut|drop|no longer|not|no|don't|never|nobody|\w+n't|out of)\b"
)
_BY_ITSELF = r"自动|代扣|自己|扣|每个?月|定期|到(?:日子|期|点|时候)|自续|\bauto|\bdebit|\bitself\b|\bstanding\b|\bcharg|\bevery month\b|\b(?:each|every) month\b|\bmonthly\b|\bwhenever\b|\bbelow\b|\bin future\b|\bfrom now on\b|\bwithout (?:me|my|asking)\b|\brenew"
_PAYS = r"[交缴付充买结清]|(?:单子|条子|账单).*一起|\b(?:pay|paying|settle|clear|top|sort|take care|deal with|bills?|do (?:all|both|every)|together)\b"
_LETS = (
    r"让|请|叫|邀|加|绑|帮|授权|同意|允许|托|替|关联|添|多.{0,2}个人|一起看|\b(?:let|allow|ask|want|invite|authori|have|give|add|link|"
    r"help|access|share|permission|appoint|join|code|bring|set .{0,6}up|on my behalf|take over|get to see|look after|may (?:pay|see|look))"
)
_COMFORT = (
    r"换|方式|模式|长辈|称呼|叫我|简短|啰嗦|语速|字|慢|快点|太快|大[声一点些]|小[声一点些]|轻[声一点些]|响|声音|英|中文|汉|普通话|语[言音]|说话|讲话|念|读|听|看不|眼|"
    r"\b(?:text|letters?|fonts?|slow\w*|fast\w*|loud\w*|big\w*|large\w*|small\w*|language|english|chinese|mandarin|read\w*|voice|speak\w*|"
    r"talk\w*|change|setting\w*|prefer\w*|brief\w*|short\w*|senior|mode|call me|name|simple|plain|print|screen|see|hear|aloud|size)\b"
)
_TOLD = (
    r"告诉|通知|提醒|消息|短信|打扰|推送|电话|吵|发|说|讲|报|"
    r"\b(?:tell\w*|told|notif\w+|notices?|remind\w*|messag\w+|texts?|texting|alert\w*|warn\w*|call\w*|ring|phone|quiet|disturb\w*|bother\w*|"
    r"writ\w+|contact|hear|know|news|send\w*|settings|summary)\b"
)
_ASKS = r"能|会|可以|什么|啥|哪些|功能|帮|怎么|咋|办|做|干|用|教|说明|\b(?:help|what|which|can|could|do|does|how|use|menu|options?|list|able|services?|features?|offer|show|explain|start)\b"
_SAYS_SO = {
    intent: re.compile(words)
    for intent, words in {
        "take_back": _ENDS,
        "stop_mandate": _BY_ITSELF,
        "set_mandate": _BY_ITSELF,
        "pay_joint": _PAYS,
        "invite": _LETS,
        "change_preferences": _COMFORT,
        "notice_wishes": _TOLD,
        "capabilities": _ASKS,
    }.items()
}


def may_begin(intent: str, text: str) -> bool:
    """Whether a folded text holds a word of the business it is guessed to mean: 再让她看吧 takes nothing back."""
    letters = re.sub("[^\u3400-\u9fff]", "", text)
    if letters and len(letters) < _SHORTEST_ZH and not re.search("[a-z]", text):
        return False
    if intent == notice_wishes.FLOW and notice_wishes.speaks_of_else(text, "zh" if letters else "en"):
        return False
    words = _SAYS_SO.get(intent)
    return words is None or bool(words.search(text))
