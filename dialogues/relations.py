"""What one relative is called by another, in the language of the talk."""

from __future__ import annotations

_WORDS = {
    "zh": {
        "father": "父亲", "mother": "母亲", "parent": "父母", "daughter": "女儿", "son": "儿子", "husband": "先生",
        "wife": "太太", "child": "孩子", "spouse": "老伴", "relative": "亲戚", "helper": "社区帮办员", "elder_served": "帮助的老人",
    },
    "en": {
        "father": "father", "mother": "mother", "parent": "parent", "daughter": "daughter", "son": "son",
        "husband": "husband", "wife": "wife", "child": "child", "spouse": "spouse", "relative": "relative", "helper": "helper", "elder_served": "person you help",
    },
}  # fmt: skip
_CHANNELS = {
    "zh": {"voice": "打电话"},
    "en": {"voice": "by telephone"},
}


def relation_word(kind: str, locale: str) -> str | None:
    """父亲, daughter …; None when nothing is known, or when it is oneself."""
    return _WORDS[locale].get(kind)


def channel_word(channel: str, locale: str) -> str:
    """How somebody acted: 打电话, or on a screen."""
    return _CHANNELS[locale].get(channel, "在手机上" if locale == "zh" else "online")
