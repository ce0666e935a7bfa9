"""What counts as yes and what as no: closed lists, and nothing else.

A yes is never found inside other words. A text is a yes only if nothing but yes remains when politeness is taken away;
不好 contains 好, and 好吗 is a question.
"""

from __future__ import annotations

import re

from nlu.aliases import relation
from nlu.text import clauses, hesitates, is_question

YES_ZH = frozenset(
    [
        "是",
        "是的",
        "是啊",
        "是呀",
        "是哦",
        "是嘞",
        "是哒",
        "对",
        "对的",
        "对啊",
        "对呀",
        "对对",
        "对头",
        "没错",
        "不错",
        "正确",
        "好",
        "好的",
        "好啊",
        "好呀",
        "好吧",
        "好嘞",
        "好咧",
        "好哒",
        "好滴",
        "好好",
        "中",
        "成",
        "行",
        "行的",
        "行啊",
        "行吧",
        "行呀",
        "可以",
        "可以的",
        "可以啊",
        "确认",
        "确定",
        "没问题",
        "同意",
        "我同意",
        "我确认",
        "我确定",
        "确认的",
        "ok",
        "okay",
        "嗯哪",
        "嗯呐",
        "得",
        "要得",
        "好说",
        "是这样",
        "就是",
        "就是的",
        "对就是",
        "是对的",
        "是他",
        "是她",
        "是我",
        "是本人",
        "是的没错",
        "好额",
        "好个",
        "对额",
        "对个",
        "是额",
        "可以额",
        "要得的",
        "中嘞",
        "得行",
        "成啊",
        "成吧",
    ]
)
# Only where a payment or a permission is being asked for.
YES_TO_ACT_ZH = frozenset(
    [
        "付",
        "付吧",
        "付款",
        "付了",
        "付掉",
        "付了吧",
        "付掉吧",
        "付款吧",
        "交",
        "交吧",
        "交了",
        "交了吧",
        "交掉",
        "交掉吧",
        "缴",
        "缴吧",
        "缴费",
        "缴了吧",
        "充",
        "充吧",
        "充了",
        "充了吧",
        "充值",
        "支付",
        "支付吧",
        "确认付",
        "确认交",
        "确认充",
        "确认付款",
        "确认支付",
        "确认缴费",
        "确认充值",
        "好付",
        "好付吧",
        "好交",
        "好交吧",
        "好充吧",
        "就付吧",
        "就交吧",
        "就充吧",
        "就这样",
        "就这样吧",
        "就这么办",
        "就这么着",
        "照付",
        "照交",
        "可以付",
        "可以交",
        "可以充",
        "可以付了",
        "可以交了",
        "同意付",
        "同意付款",
        "我要付",
        "我付",
        "我交",
        "你付吧",
        "你交吧",
        "你充吧",
        "给我付吧",
        "给我交吧",
        "帮我付吧",
        "帮我交吧",
        "帮我充吧",
        "办吧",
        "弄吧",
    ]
)
WEAK_YES_ZH = frozenset(["嗯", "嗯嗯", "唔", "恩", "恩恩", "哎", "欸"])
NO_ZH = frozenset(
    [
        "不",
        "不是",
        "不是的",
        "不对",
        "不对的",
        "不对不对",
        "不行",
        "不好",
        "不要",
        "不要了",
        "不用",
        "不用了",
        "不可以",
        "不同意",
        "不确认",
        "不确定",
        "不认识",
        "没有",
        "没",
        "否",
        "不不",
        "不不不",
        "不是不是",
        "别",
        "别付",
        "别交",
        "别充",
        "别扣",
        "别付了",
        "别交了",
        "别充了",
        "不付",
        "不交",
        "不缴",
        "不充",
        "不付了",
        "不交了",
        "不充了",
        "不缴了",
        "错",
        "错了",
        "错的",
        "错啦",
        "不是他",
        "不是她",
        "不是我",
        "不是我妈",
        "不是我爸",
        "不是我家",
        "不是我家的",
        "不是我的",
        "不是这个",
        "不是这家",
        "不是这个人",
        "先不要",
        "先别",
        "先不",
        "先不付",
        "先不交",
        "先不充",
        "等一下",
        "等等",
        "再说",
        "再说吧",
        "以后再说",
        "下次",
        "下次吧",
        "下次再说",
        "不想付",
        "不想交",
        "不想要",
        "没让",
        "我没让",
        "没有让",
        "取消",
        "不认得",
        "不晓得这人",
        "不是本人",
    ]
)
YES_EN = frozenset(
    {"yes", "yeah", "yep", "yup", "y", "ya", "sure", "ok", "okay", "correct", "right", "that's right", "thats right", "that is right", "that's correct", "that is correct", "thats correct", "of course", "certainly", "absolutely", "agreed", "i agree", "i confirm", "confirm", "confirmed", "all right", "alright", "fine", "sounds good", "yes i do", "yes it is", "it is", "that's her", "that's him", "that's me", "that is her", "that is him", "yes that's her", "yes that's him", "yes that's right", "yes that is right", "affirmative", "exactly", "very good"}
)  # fmt: skip
YES_TO_ACT_EN = frozenset(
    {"pay", "pay it", "pay now", "pay that", "go ahead", "do it", "yes pay", "yes pay it", "yes go ahead", "please do", "proceed", "go on then", "go for it", "pay the bill", "confirm payment", "confirm the payment", "top it up", "yes do it", "let's do it", "make the payment", "i approve", "approve", "approved", "ok pay", "ok pay it"}
)  # fmt: skip
NO_EN = frozenset(
    {"no", "nope", "nah", "n", "not now", "don't", "do not", "don't pay", "do not pay", "not right", "that's not right", "that is not right", "that's wrong", "that is wrong", "wrong", "incorrect", "not correct", "no way", "never", "not today", "i don't agree", "i do not agree", "no it isn't", "it isn't", "it's not", "that's not her", "that's not him", "that's not me", "not her", "not him", "not me", "no not now", "no don't", "later", "maybe later", "wrong person", "wrong name", "i disagree", "not yet", "i don't know them", "wait", "hold on"}
)  # fmt: skip

_POLITE_FRONT_ZH = re.compile("^(?:嗯+|哦+|噢|喔|啊+|哎呀|哎|诶|欸|唉|呃+|那么|那就|那|请|麻烦你?|小帮)(?=.)")
_POLITE_BACK_ZH = re.compile(
    "(?<=.)(?:谢谢你?您?|谢谢啊|谢了|多谢|麻烦你?您?了|啦|哈|咯|喽|嘞|哦|噢|喔|啊|呀|哒|滴|小帮)$"
)
_POLITE_FRONT_EN = re.compile(r"^(?:oh|ah|um+|uh+|well|so|then|please|and|hm+)\b[ ,]*(?=.)")
_POLITE_BACK_EN = re.compile(
    r"(?<=.)[ ,]*\b(?:please|thanks|thank you|then|dear|love|sir|madam|thank you very much|thanks a lot)$"
)
_DOUBLED = re.compile(r"^(.{1,3}?)\1+$")
_ONLY_POLITE = frozenset(
    ["请", "谢谢", "谢谢你", "谢谢您", "麻烦", "麻烦你", "麻烦您", "小帮", "那个", "那", "please", "thanks"]
) | {"thank you"}


# 是我妈 says whose the masked name is.
_IS_RELATIVE = re.compile(
    r"就?是(?:我|俺|咱)?[^不没吗谁的]{1,3}(?:家|的|家的|的名字)?|(?:yes )?(?:it's|that's|it is|that is|she's|he's) my [a-z]+(?:'s)?(?: name)?"
)


def is_yes(text: str, locale: str, asks: str, voice: bool) -> bool:
    """Whether the folded text is a yes and nothing but a yes to what is asked.

    On voice a bare 嗯 is what people say while thinking, so it is a yes only together with something clearer.
    """
    if is_question(text) or (voice and hesitates(text)):
        return False
    words = _closed_parts(text, locale)
    full = _yes_words(locale, asks)
    if asks == "name_check":
        words = ["是" if _IS_RELATIVE.fullmatch(word) and relation(word, locale) else word for word in words]
        full |= {"是"}
    if not words or not all(word in full or word in WEAK_YES_ZH for word in words):
        return False
    return not voice or any(word in full for word in words)


def is_no(text: str, locale: str) -> bool:
    """Whether the folded text begins with a plain no, or is nothing but one; a question is neither."""
    if is_question(text):
        return False
    words = _closed_parts(text, locale)
    return bool(words) and all(word in (NO_EN if locale == "en" else NO_ZH) for word in words)


# Said of what was read back, not of the wish to pay: 不对, 错了, wrong. A plain 不 or no may stand beside it.
_WRONG_ZH = re.compile(
    "(?:这|那|这个|那个|好像|有点|有点儿|是|都|全|哪里|总觉得|我觉得)*(?:不太?对|不大对|不是|不正确|不准|错|弄错|搞错|写错|算错|有误|有错|有问题|对不上)(?:的|了|啦|嘛|吧|啊|呀)*"
    "|(?:这)?不是(?:他|她|我|本人|我妈|我爸|我家|我家的|我的|这个|这家|这户|这个人|这一户)的?"
)
_WRONG_EN = re.compile(
    r"(?:that's|that is|it's|it is|this is|something's|something is|there's|there is)? ?(?:not|isn't)? ?(?:quite )?(?:right|correct|wrong|incorrect|a mistake|an error|wrong person|wrong name|the wrong (?:person|name|one|bill))"
    r"|(?:no )?(?:it isn't|it's not|it is not|that isn't it|that's not it)|(?:no )?(?:that isn't|that's not|that is not|it isn't|it's not) (?:right|correct|her|him|me|mine|ours)|not (?:her|him|me|mine|ours)"
)
_PLAIN_NO = frozenset({"不", "不不", "不不不", "no", "nope", "nah"})


def says_wrong(text: str, locale: str) -> bool:
    """不对 alone: something of what was read back is wrong. It neither says what, nor gives anything up."""
    if is_question(text):
        return False
    words = _closed_parts(text, locale)
    found = [word for word in words if word not in _PLAIN_NO]
    return bool(found) and all(_is_wrong(word, locale) for word in found)


def _is_wrong(word: str, locale: str) -> bool:
    if locale == "en":
        return word not in YES_EN and bool(_WRONG_EN.fullmatch(word))
    return bool(_WRONG_ZH.fullmatch(_DOUBLED.sub(r"\1", word)))


def begins_with_no(text: str, locale: str) -> bool:
    """不对,我妈姓张: a no with its reason."""
    words = _closed_parts(text, locale)
    if locale == "en":
        return bool(words) and (
            words[0] in NO_EN
            or bool(re.match(r"(?:no|not|wrong|that's not|that is not|it's not|it isn't)\b", words[0]))
        )
    return bool(words) and (words[0] in NO_ZH or bool(re.match("不是|不对|错了|弄错|搞错|不认识", words[0])))


def _yes_words(locale: str, asks: str) -> frozenset[str]:
    plain, to_act = (YES_EN, YES_TO_ACT_EN) if locale == "en" else (YES_ZH | {"yes", "ok"}, YES_TO_ACT_ZH)
    return plain | to_act if asks in {"confirm", "consent"} else plain


def _closed_parts(text: str, locale: str) -> list[str]:
    """The clauses without politeness and doubling; [] if there is nothing but politeness."""
    known = YES_ZH | YES_TO_ACT_ZH | NO_ZH | WEAK_YES_ZH
    parts = [_bare(clause, locale, known) for clause in clauses(text)]
    return [part for part in parts if part]


def _bare(clause: str, locale: str, known: frozenset[str]) -> str:
    front, back = (
        (_POLITE_FRONT_EN, _POLITE_BACK_EN) if locale == "en" else (_POLITE_FRONT_ZH, _POLITE_BACK_ZH)
    )
    if locale != "en":
        clause = clause.replace(" ", "")
    while clause not in known:
        shorter = _DOUBLED.sub(r"\1", back.sub("", front.sub("", clause, count=1), count=1))
        if shorter == clause:
            break
        clause = shorter
    return "" if clause in _ONLY_POLITE else clause
