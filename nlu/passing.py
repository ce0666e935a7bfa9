"""What people ask in passing, whatever is going on: wait a moment, another language, a discount, who is speaking, is it safe."""

from __future__ import annotations

import re

from nlu.commands import CannotHandle, Command, Explain, Human, StartFlow
from nlu.text import clauses

_MOST_ZH, _MOST_EN = 18, 60  # a longer sentence has other business

_ASKS_ZH = "(?:吗|么|嘛|呢|不|没|没有|吧|啊|呀)?"
_THINGS = "单子|账单|缴费单|通知单|眼镜|老花镜|本子|手机|笔|卡|本本|发票|存折"
_WAIT_ZH = re.compile(
    "^(?:哦|好|嗯|那|那你|你|您|请|麻烦|先|让我|给我)*"
    "(?:等一?下下?|等等|等一等|稍等一下|稍等|等我一下|等我一?会儿?|等一?会儿?|等我|慢着|我看看|我找找|我想想|"
    f"我?(?:先|去|来|得|要|再)*(?:拿|找|取|戴|翻|看)(?:一?下|个|出来)?(?:我的?|老花?)?(?:{_THINGS})(?:来|出来)?|我?去(?:拿|找|看|取)(?:一?下|来)?)+"
    "(?:啊|呀|哈|吧|先|好吗|行吗|可以吗|谢谢)*$"
)
_SIGH = re.compile("哦+|好的?|嗯+|哎+呀?|啊+|那|oh|ok|okay|yes|well|um+")
_WAIT_EN = re.compile(
    r"^(?:ok |okay |oh |please |sorry |just |can you |could you )*(?:wait|wait (?:for me|please|a (?:minute|moment|second|sec|bit|little))|hold on|hang on|(?:just )?(?:one|a) (?:minute|moment|second|sec)|give me a (?:minute|moment|second|sec)|let me (?:think|see|look|check)|"
    r"(?:let me|i'll|i will|i have to|i need to|i must) (?:go and |go )?(?:get|find|fetch|look for) (?:my |the )?(?:glasses|bill|paper|papers|phone|pen|letter)|i'll be right back|be right back)(?: please| a (?:minute|moment|second))*$"
)

# A danger comes first, in however long a sentence.
_DANGER = re.compile(
    r"(?:煤气|燃气|天然气|管子|阀门|家里).{0,4}(?:泄漏|泄露|漏气|漏了)|漏煤气|漏燃气|漏气了|漏电|触电|着火|起火|冒烟|煤气味|燃气味|煤气中毒|救命|"
    r"\bgas leak|\bleaking gas|\bsmell(?:s|ing)? (?:of )?gas|\bon fire\b|\bthere(?: is|'s) (?:a )?(?:fire|smoke)\b|\bsmoke (?:is )?com(?:ing|es)\b|\belectric shock\b"
)
# What no clock or calendar of ours answers.
_NOT_FOR_US = re.compile(
    r"^(?:现在|今天|明天)?(?:是)?(?:几点(?:钟)?了?|几号|星期几|礼拜几|几月几号)(?:了|啊|呀)?$|^what (?:time|day|date) is it(?: now| today)?$|^what(?:'s| is) the (?:time|date|day)(?: today| now)?$"
)

# One pattern for each thing asked: what is said of it stands in the responses, as utter_about_ and its name.
_TOPICS_ZH = {
    "reminders": re.compile("^(?!.*(?:闺女|女儿|儿子|老伴|他们|老人))(?!.*(?:不要|别|不用)).*(?:会|能|给我|帮我|到期|到时候?|快没|低了?|要交)[^,。]{0,8}提醒(?:我|一下|一声|吗|么|不|伐|就行|就好|就可以|了|下|吧)*$|^(?:什么时候|啥时候|几时|多久)(?:会)?提醒(?:我)?$"),
    "invited": re.compile("(?:怎么|咋|如何|怎样)(?:才)?(?:能)?(?:让|叫|请)?(?:我妈|我爸|他们?|她|爸妈)?(?:看到?|邀请|帮着?看|管)(?:我妈|我爸|爸妈|他们|她|他)?(?:我)?(?:家)?(?:的)?(?:账|账单|费)?$|(?:让|叫|请)(?:我妈|我爸|爸妈|他|她|他们)(?:邀请|加)我.{0,4}(?:怎么|咋|如何)"),
    "others_leave": re.compile("^谁(?:能|可以|在)?看过?(?:他|她|我爸妈?|我妈|他们)(?:的|家的?)?(?:账|账单|单子)$"),
    "discount": re.compile(
        f"(?:有没有|有|能|可以|可不可以|能不能|给).{{0,6}}(?:优惠|折扣|打折|打个折|便宜|少收|减免|少交|少付|少缴).{{0,4}}{_ASKS_ZH}$|^(?:打折|优惠|便宜)(?:一?点|些)?(?:吗|么|不)$"
    ),
    "fee": re.compile("(?:手续费|服务费)|^(?:你们?|这个?|用这个|这里|交费|缴费)*(?:还|另外|额外)?(?:要|收|怎么收)(?:不收|不要)?(?:费|钱)(?:用)?(?:吗|么|呢|的)?$"),
    "who": re.compile(
        "^(?:你|您|侬|这|那边)(?:到底|究竟)?(?:是|算)(?:不是)?(?:谁|哪位|什么人|哪里的?|什么|真?人|机器人?|机器|电脑|人工智能|ai)(?:啊|呀|吗|么|呢)*$|^(?:你|您)(?:叫|贵姓|姓)(?:什么|啥)?(?:名字?)?(?:啊|呀)?$"
    ),
    "safety": re.compile("^(?:你|您|这|这个|这里|在这|在这里|这样|钱|付钱|付款|交费|这儿)*(?:们)?(?:是不是|会不会|不会是?|该不会是?|是)?(?:骗子|骗人的?|诈骗|骗我的?|安全|靠谱|可靠|靠得住|保险|丢|被骗)(?:不安全|不靠谱|不可靠)?(?:吗|么|吧|呢|啊|的)*$"),
    "later": re.compile(
        "^(?:我|那)?(?:能不能|可不可以|能|可以|可否)?(?:今天|现在)?(?:晚|迟|过)(?:一?点|几天|两天|些|一阵)(?:儿)?(?:再)?(?:交|付|缴)(?:行|可以|好)?(?:吗|么|行吗|可以吗|不)?$|^(?:我|最近|现在|手头)*(?:没钱|没有钱|钱不够|手头紧)(?:了|啊|怎么办|咋办)*$"
    ),
    "outage": re.compile("^(?:我|我们|咱|家|家里|我家|小区|楼里|这里|突然|怎么|又|都|今天)*(?:停|断)(?:电|水|气|煤气|燃气)(?:了|啦|啊|怎么办|咋办|怎么回事)+$"),
    "means": re.compile("^(?:我|这里|你们|你)*(?:能不能|可不可以|能|可以|用|拿|支持|收)+(?:用|拿)?(?:微信|支付宝|银行卡|刷卡|信用卡|云闪付|数字人民币|扫码)(?:支?付|交|缴|付款|支付|付钱|交费|缴费)*(?:行|可以|好)?(?:吗|么|不|行吗|可以吗)?$"),
    "hours": re.compile("(?:你们?|您|这里|客服)?(?:是|都)?(?:几点|什么时候|啥时候)(?:上班|下班|开门|关门|营业|休息)|^(?:你们?|这里)?(?:晚上|半夜|夜里|周末|星期天|礼拜天|节假日|过年)(?:也|都|还)?(?:能|可以|上班|营业|在)(?:交|付|缴|办|用)?(?:费|电费)?(?:吗|么|不)?$"),
    "dialect": re.compile("(?:上海话|沪语|广东话|粤语|四川话|闽南话|方言|家乡话|土话|客家话)"),
    "parts": re.compile("分期|分(?:几|两|三)次(?:付|交|缴)|分开(?:付|交|缴)"),
    "cutoff": re.compile("会(?:不会)?(?:被)?(?:给我)?(?:停|断)(?:我家?)?(?:的)?(?:电|水|气|煤气|燃气)|(?:停|断)不(?:停|断)(?:电|水|气)"),
    "sorry": re.compile("^(?:你|您|真|真是|太|好|怎么|这么|这|这个|什么|机器|东西|破|啊|哎)*(?:笨|傻|蠢|笨蛋|傻瓜|烦|烦死|烦死了|气死|气死我|没用|不好用|难用|垃圾|废物|麻烦死|太慢|搞不懂你)(?:了|人|啊|呀|得很|的|东西|死了)*$"),
}  # fmt: skip
_TOPICS_EN = {
    "reminders": re.compile(r"^(?:will|do|can|could) (?:you|i) (?:please )?(?:get a )?remind(?:er)?s?(?: me)?(?: when .*| before .*| in time)?$|^(?:just |please )*remind me (?:when|before|in time)\b.*$"),
    "invited": re.compile(r"^how (?:can|do|does) (?:i|my (?:mum|mom|dad|mother|father|parents)) (?:see|look at|invite|help with|add) (?:me|my (?:mum|mom|dad|mother|father|parents)(?:'s|s'|')?(?: bills?| account)?)$"),
    "others_leave": re.compile(r"^who (?:can|may) (?:see|look at) (?:his|her|their) bills?$"),
    "discount": re.compile(r"\b(?:discount|discounts|cheaper|concession|concessions|reduction|money off)\b"),
    "fee": re.compile(r"^(?!.*\blate (?:fee|charge)).*\b(?:do|does|will|is|are|any|what|how)\b.*\b(?:fee|fees|commission|service charge|handling charge)\b|^(?:is (?:it|this) free|does it cost (?:anything|money|extra)|do you charge)(?: for (?:this|it))?$"),
    "who": re.compile(r"^(?:who|what) (?:are|is) (?:you|this)$|^are you (?:a |an )?(?:robot|bot|machine|computer|program|ai|human)$|^what(?:'s| is) your name$|^am i (?:talking|speaking) to a (?:robot|machine|computer|bot)$"),
    "safety": re.compile(r"^(?:is|are) (?:this|it|that|you|my money|paying here) (?:really |all )?(?:a )?(?:safe|secure|scam|fraud|scammers?|honest|reliable|trustworthy|genuine|legit)(?: here)?$|^can i trust (?:you|this)$|^(?:is )?this (?:is )?a scam$"),
    "later": re.compile(r"^(?:can|could|may) i (?:pay|do it|do this|settle it) (?:it |this )?(?:later|tomorrow|next week|another (?:day|time))$|^i (?:have no|don't have (?:any|the|enough)|haven't got (?:any|the|enough)|can't afford (?:it|this))(?: money)?(?: now| right now| today| for (?:it|this))?$"),
    "outage": re.compile(r"^(?:my |the |our |there is |there's |we have )*(?:power|electricity|water|gas|lights?)(?: supply)? (?:is|are|has|went|have) (?:out|off|gone|been cut(?: off)?|cut off)(?: again)?$|^(?:there is |there's |we have |i have )?(?:a )?(?:power cut|power outage|blackout|no power|no electricity|no water|no gas)(?: at home| here)?$"),
    "means": re.compile(r"^(?:can|could|may|do) (?:i|you|we) (?:pay|use|take|accept)(?: with| by| using| it with| it by)? (?:my |a |an )?(?:wechat|wechat pay|alipay|card|bank card|credit card|debit card|visa|qr code)(?: pay| here| to pay)?$"),
    "hours": re.compile(r"^(?:what|when) (?:are|is) your (?:opening |office |working )?(?:hours|times?)$|^when (?:are you|do you) (?:open|close|closed|start|finish)$|^are you (?:open|there) (?:at night|on sundays?|at weekends?|now|today|all day)$"),
    "parts": re.compile(r"\binstal?lments?\b|\b(?:pay|split) (?:it )?(?:in|into) (?:parts|two|three|pieces)\b"),
    "cutoff": re.compile(r"\b(?:will|would|going to|do|can|could) (?:they |you |i |my |the )*(?:be |get )?(?:cut|turn|switch|shut)(?: me)? off\b|\b(?:cut|turn|switch|shut) off (?:my|our|the) (?:power|electricity|water|gas)\b"),
    "sorry": re.compile(r"^(?:you(?:'re| are)? |this is |that's |what a |so |really |how |i'm |i am )*(?:stupid|useless|idiot|dumb|rubbish|terrible|annoying|angry|fed up|confused|lost|hopeless|a pain)(?: with (?:you|this))?$"),
}  # fmt: skip
_CALL_ME = re.compile(
    "^(?:你们?|您|能|可以|能不能|可不可以|给我|帮我|来|请)*(?:打(?:个)?电话(?:给我|过来)?|回(?:个)?电话)(?:吗|么|好吗|行吗)?$|^(?:你们?|您)(?:的)?电话(?:号码)?(?:是)?(?:多少|几号|什么)$|"
    r"^(?:can|could|will|would|please) ?(?:you )?(?:please )?(?:call|ring|phone) me(?: back)?$|^what(?:'s| is) your (?:phone |telephone )?number$"
)
_LANGUAGE = re.compile(
    r"(?P<english>英文|英语|\benglish\b)|(?P<chinese>中文|汉语|普通话|国语|\b(?:chinese|mandarin)\b)"
)
_NOT_OURS = re.compile(
    r"翻译|学|考|老师|书|歌|课|班|怎么(?:说|讲|念|写)|名字|作文|电影|\b(?:teach|learn|translate|translation|food|restaurant|new year|lesson|class|book|exam|name)\b"
)
_SPEAKS_EN = re.compile(
    r"\b(?:speak|talk|talking|use|switch|change|prefer|write|say|answer|reply|want|in|please|version|understand|read)\b"
)
_NOT_THAT_ONE = re.compile(
    r"不(?:会|懂|要|用|说|讲)|别|(?:听|看)不懂|\b(?:don't|do not|can't|cannot|no|not|stop)\b"
)


TOPICS = frozenset({"wait", "danger", *_TOPICS_ZH, *_TOPICS_EN})


def waits(text: str, locale: str) -> bool:
    """等一下, 我去拿单子: neither yes nor no to anything; the question waits."""
    pattern = _WAIT_EN if locale == "en" else _WAIT_ZH
    parts = [part.rstrip("?. ") for part in clauses(text) if not _SIGH.fullmatch(part)]
    return bool(parts) and all(pattern.search(part) for part in parts)


def asked_in_passing(text: str, locale: str) -> Command | None:
    """The command of a short folded text that asks something beside the business, or None."""
    if _DANGER.search(text):
        return Explain("danger")
    if len(text) > (_MOST_EN if locale == "en" else _MOST_ZH) or re.search("[0-9]", text):
        return None
    said = text.strip(" ?。.!,")
    if language := _wished_language(said, locale):
        return StartFlow("change_preferences", {"preference": language})
    if _CALL_ME.search(said):
        return Human()
    if _NOT_FOR_US.search(said):
        return CannotHandle("out_of_scope")
    topics = _TOPICS_EN if locale == "en" else _TOPICS_ZH
    return next((Explain(topic) for topic, pattern in topics.items() if pattern.search(said)), None)


def _wished_language(said: str, locale: str) -> str | None:
    """The language somebody wants to go on in; who does not understand one of the two wants the other."""
    named = list(_LANGUAGE.finditer(said))
    if not named or _NOT_OURS.search(said):
        return None
    wished = str(named[-1].lastgroup)
    alone = named[-1][0] == said
    if locale == "en" and not alone and not _SPEAKS_EN.search(said):
        return None
    if len(named) == 1 and _NOT_THAT_ONE.search(said):
        return "chinese" if wished == "english" else "english"
    return wished
