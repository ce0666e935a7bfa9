"""Where a guess needs a word beside it: business that ends, sends or pays something is begun by nobody's likeness alone."""

from __future__ import annotations

import re

from nlu import notice_wishes

# One or two letters of Chinese look like anything: 付 is an answer that came late, and no question about last month.
_SHORTEST_ZH = 2
_ENDS = (
    r"(?<!是)不(?!是)|别|甭|莫|勿|取消|撤|收回|解|停|断|删|终止|结束|关掉|"
    r"\b(?:stop|end|cancel|revoke|remove|withdraw|unlink|undo|delete|disconnect|block|take|no longer|don't|do not|never|out of)\b"
)
_BY_ITSELF = r"自动|代扣|自己|扣|每个?月|定期|\bauto|\bdebit|\bitself\b|\bstanding\b|\bcharg|\bevery month\b|\bmonthly\b|\bwhenever\b|\bbelow\b"
_PAYS = r"[交缴付充买结清]|\b(?:pay|paying|settle|clear|top|sort|take care|deal with|bills?)\b"
_LETS = (
    r"让|请|叫|邀|加|绑|帮|授权|同意|允许|托|替|关联|添|\b(?:let|allow|ask|want|invite|authori|have|give|add|link|"
    r"help|access|share|permission|appoint)"
)
_COMFORT = (
    r"换|方式|字|慢|快点|太快|大[声一点些]|小[声一点些]|轻[声一点些]|响|声音|英|中文|汉|普通话|语[言音]|说话|讲话|念|读|听|看不|眼|"
    r"\b(?:text|letters?|fonts?|slow\w*|fast\w*|loud\w*|big\w*|large\w*|small\w*|language|english|chinese|mandarin|read\w*|voice|speak\w*|"
    r"talk\w*|change|setting\w*|prefer\w*|print|screen|see|hear|aloud|size)\b"
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
