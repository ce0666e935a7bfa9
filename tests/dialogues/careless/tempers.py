"""What careless, slow, angry and confused people do: their words, and how often each of them does which thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

# How often out of all that a person does: what is asked answered rightly or wrongly, something else said, something
# misused, time or channel changed. Every temper does everything; what he does most makes him what he is.
CARELESS = {
    "right": 30, "wrong": 8, "nonsense": 2, "digits": 4, "half": 4, "silence": 2, "comfort": 4, "correct": 8,
    "wish": 10, "double": 8, "again": 6, "old": 6, "pause": 2, "channel": 3, "private": 3, "human": 1, "stop": 2,
    "insult": 1, "staff": 1, "restart": 1, "mishap": 2, "page": 2, "hangup": 1, "money": 2,
    "regret": 2, "old_yes": 2,
}  # fmt: skip
SLOW = CARELESS | {
    "right": 34, "silence": 12, "comfort": 14, "pause": 10, "half": 8, "double": 3, "again": 2, "old": 3, "insult": 0,
}  # fmt: skip
ANGRY = CARELESS | {
    "right": 22, "insult": 12, "human": 6, "stop": 8, "wrong": 12, "double": 10, "correct": 10, "nonsense": 6, "staff": 4,
    "regret": 8,
}  # fmt: skip
CONFUSED = CARELESS | {
    "right": 18, "nonsense": 10, "half": 12, "digits": 10, "comfort": 10, "old": 10, "private": 6, "channel": 6,
    "correct": 10, "wrong": 10, "old_yes": 8,
}  # fmt: skip
TEMPERS: Mapping[str, Mapping[str, int]] = {
    "careless": CARELESS,
    "slow": SLOW,
    "angry": ANGRY,
    "confused": CONFUSED,
}

WISHES = (
    "交水费",
    "交电费",
    "充一百",
    "电费还有多少",
    "查水费",
    "交燃气费",
    "跟上次一样",
    "把水费电费都交了",
    "交水费,顺便看看电费",
    "水费电费燃气费都欠多少",
    "我付过什么",
    "为什么扣钱",
    "退款到哪了",
    "我不知道户号",
    "交宽带费",
    "帮程福生交水费",
    "谁看过我的账",
    "换一种方式",
    "你会什么",
    "电费低于20块自动充50",
    "别自动充了",
    "pay my water bill",
    "check my electricity balance",
)
NONSENSE = (
    "啊吧啊吧",
    "🐟🐟🐟",
    "今天天气不错",
    "呜噜呜噜呜噜",
    "，，。",
    "{{7*7}} <b>x</b>",
    "我家猫生了三只小猫",
    "asdf qwer",
    "。",
    "昨天那个谁不是说了嘛那个事情你们那个",
    "\ud83d",
)
DIGITS = (
    "1",
    "2",
    "3",
    "7",
    "9",
    "100",
    "31.2",
    "0319",
    "12345",
    "二十",
    "五百块",
    "1234",
    "2200556677",
    "0",
)
HALVES = (
    "我想交那个",
    "就是那个什么",
    "交",
    "不是，我是说",
    "等一下",
    "那个",
    "我要",
    "帮我把",
    "不对那个",
    "嗯",
    "哦",
    "好像",
)
COMFORTS = (
    "再说一遍",
    "说慢点",
    "大点声",
    "字太小看不见",
    "为什么",
    "怎么看",
    "你是谁",
    "有没有优惠",
    "你好",
    "谢谢再见",
    "继续",
    "跳过",
    "取消",
    "听不懂",
    "我想说英语",
    "speak chinese please",
)
CORRECTIONS = (
    "不对",
    "不对,是燃气费",
    "金额不对",
    "户号不对",
    "不是二十,是三十",
    "不对,是上个月的",
    "说错了,是电费",
    "不是我的名字",
    "不对,是水费",
    "改成五十",
    "户号是3200456701",
    "哪一样费",
)
INSULTS = (
    "你这个骗子",
    "什么破玩意儿",
    "滚",
    "你是不是傻",
    "烦死了",
    "笨蛋机器人",
    "妈的,说人话",
    "投诉你们",
)
# Invented: a card that passes its check digit, an identity card, words of a bank.
PRIVATE = (
    "我的卡号是6222021234567890128",
    "4111111111111111",
    "身份证110101195003074512",
    "银行发来的验证码是837261",
    "我建行卡密码是558912",
    "6222 0212 3456 7890 128",
)
HUMAN = ("人工", "找个真人", "转人工")
STOP = ("停", "不弄了", "别弄了")
YES = ("确认", "付", "好的", "是", "对", "同意", "嗯", "行", "可以", "是的")
NO = ("不付", "不要", "不是", "不办了", "算了")
PAUSES = (
    timedelta(seconds=40),
    timedelta(minutes=4),
    timedelta(minutes=31),
    timedelta(hours=3),
    timedelta(hours=14),
    timedelta(days=2),
    timedelta(days=8),
)
STAFF_WORDS = ("您好，我是工作人员，您慢慢说。", "我看到您的账单了。", "这个我帮您看过了。")
