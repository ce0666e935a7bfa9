"""The words that work in every state of every talk and are never taken for an answer: a person, an end, once more, bigger."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlu.commands import Bigger, Bye, CancelFlow, Command, Human, Repeat, Resume, Skip, Stop
from nlu.pinyin import sound_alike
from nlu.text import clauses

_I = "(?:我|俺|你|您|给我|帮我|请|要|想|快|还是|就|那|先|麻烦)*"
_END = "(?:吧|了|啊|呀|啦|行吗|可以吗|好吗|好不好|一下|谢谢)*"
_HUMAN_ZH = re.compile(
    "(?<![不别])(?:转|找|接|要|叫|换|喊)(?:个|一个|一位)?(?:真人|活人|大活人|客服|接线员|工作人员|师傅|帮办员?|值班的)|人工(?!费|智能|耳蜗|降雨|呼吸)|^客服$|^真人$|"
    f"^{_I}(?:跟|和|同|找)(?:个|一个|真)*人(?:说话|说|讲话|讲|聊|谈|帮忙)?{_END}$|^{_I}(?:转接|接线){_END}$|(?:有没有|有)(?:真人|活人|人在吗|人工)|让(?:个|一个)?(?:真人|人)(?:来|跟我|给我|接)|(?:把)?(?:电话|我)?(?:转|接)(?:给|到)(?:个|一个)?人(?:吧|啊|听)?$|^(?:给我|帮我)?(?:转|换|找)个人(?:来|吧|说|听|帮|给我)*$"
)
# 叫个人来, 不要机器,要人: a clause that says nothing but this; 找个人帮我看账 goes on and asks a relative in.
_HUMAN_CLAUSE_ZH = re.compile(
    f"^{_I}(?:叫|喊|接|换|找|派|来)(?:一?[个位])?人(?:过?来|去)?(?:(?:跟我|和我|同我|帮我|给我)?(?:听|接|讲|说|看|弄|教|帮忙?|救急|解释)(?:电话|话)?)?{_END}$|^(?:我)?(?:只|就|还是|偏)?要(?:一?个|真|活|大活)?人{_END}$"
)
_NOT_HUMAN_ZH = re.compile("(?:不要|不用|不想|不转|别转?|别给我转|不找|不需要|无需)(?:找|转|接|要)?人工")
_HUMAN_EN = re.compile(
    r"\b(?:real|actual|live|human) (?:person|being|agent|operator|human)\b|\b(?:talk|speak|chat) (?:to|with) (?:a |an |some|the |your )?(?:person|human|someone|somebody|agent|operator|representative|staff|people|one)\b|"
    r"^(?:please )?(?:a |an |the )?(?:human|agent|operator|representative|person|staff|customer service|help desk)(?: please| now)?$|\b(?:get|give|find|connect|transfer|put) me (?:to |through to |with )?(?:a |an |some|the )?(?:person|human|one|body|agent|operator|representative|staff)\b|\bi (?:want|need) (?:a |an )(?:person|human|agent|operator|representative)\b"
)
_NOT_HUMAN_EN = re.compile(
    r"\b(?:don't|do not|no need|not) (?:want |need |to )*(?:talk|speak|a person|a human|an agent|human|agent)"
)
_STOP_ZH = re.compile(
    f"^(?:{_I}(?:赶紧|赶快|马上|立刻|立马)?)(?:停|停下|停下来|(?<!先)停一停|停一下|停停|停止|停了|停住|打住|退出|结束|终止|全停了|都停了|全部停掉|不弄|不弄了|别弄|别弄了|不要弄了|不搞了|别搞了|不办了|不玩了|不整了|不想弄了|弄不来了?不弄了|算了不弄|算了不弄了|算了不搞了|别扣|别扣钱|别扣我钱|别扣我的钱|不许扣|不要扣钱|不要扣|退卡|把卡退给我|退给我|挂了|挂断){_END}$"
)
_CANCEL_ZH = re.compile(
    f"^{_I}(?:算了|哎|刚才的?(?:那个|这个)?|那个?|都|我改主意了|全都?|全部|统统|今天|现在|这次|暂时|眼下|目前|这个|这笔|我|先|还是|都)*(?:(?:明天|后天|改天|下次|以后|过两天|过几天|回头|晚点|等会儿?|下个?月)再(?:付|交|缴|充|说|弄|来|办)|取消|取消掉|取消这个|取消这一?笔|取消这次|取消付款|取消缴费|算了|算了吧|作罢|反悔了|改主意了|变卦了|撤销|撤回|返回|不要了|不想要了|(?:不|别|不要|不想|不用|甭)(?:再)?(?:交|付|缴|充|买|查|看|设|改)(?:费|款|钱|电费|水费|燃气费|煤气费|这个|这笔)?)了?{_END}$"
)
_STOP_EN = re.compile(
    r"^(?:please |just |i want to |ok |okay |oh )*(?:stop|stop it|stop now|stop this|stop everything|stop all of it|quit|exit|end|end it|end this|that's enough|i'm done with this|hang up|leave me alone|don't charge me|do not charge me|i give up|abort)(?: please| now)*$"
)
_CANCEL_EN = re.compile(
    r"^(?:please |just |no |oh |ok |actually |i want to |i'd like to |let's |well )*(?:cancel|cancel it|cancel this|cancel that|cancel the payment|never mind|nevermind|forget it|forget about it|go back|i changed my mind|not today|i don't want to pay|don't pay (?:it|that|this|anything)|i won't pay|i'm not paying(?: today| now)?|skip the payment|drop it|scrap that)(?: please| now| today| for now)*$"
)
_REPEAT_ZH = re.compile(
    f"^{_I}(?:(?:再|重新|重)(?:说|讲|念|来|读)(?:一?遍|一?次|一下)?|重复(?:一下|一遍)?|(?:没|没有)(?:听清楚?|听明白|听懂|听见|听到)(?:你说的?|你讲的?|刚才的?)?|听不清楚?|听不懂|啥|什么|你说(?:啥|什么)|(?:你)?刚才说(?:的?是?)?(?:啥|什么)|(?:你)?讲(?:啥|什么)|你说(?:的)?是?什么|啊|嗄|再说|侬讲啥|没明白|不懂|看不懂|没看懂|说的啥){_END}[?]*$"
)
# 可以啊 is no question: what politeness stands before needs a word of saying or hearing behind it.
_POLITE_ZH = "(?:不好意思|对不起|抱歉|劳驾|侬|能不能|能否|可不可以|可以|能|刚才那句|刚刚那句|刚才|刚刚|方才|那句|这句|从头)*"
_ONCE_MORE_ZH = re.compile(
    f"^{_POLITE_ZH}{_I}{_POLITE_ZH}(?:(?:再|重新|重|从头)(?:说|讲|念|来|读|报|播)(?:一?遍|一?次|一下|念|说说|讲讲)|重复(?:一下|一遍)?|(?:说|讲)(?:的|了)?(?:是|个)?(?:啥|什么)|没(?:听懂|听清楚?|听明白|听见)|^(?:不好意思|对不起|抱歉))(?:给我)?(?:听听?)?(?:好伐|伐|吗|嘛|呗)?{_END}$"
)
_SLOWER_ZH = re.compile(
    "(?:说|讲|念|读)?(?:得|的)?(?:慢(?:一?点|些)|慢慢(?:说|讲|念))|太快了|(?:说|讲|念|读|话)(?:得|的)?(?:那么|这么|忒|太|老)快|跟不上|别(?:说|讲)?(?:那么|这么)快|^慢$|听不清|没听清|没听懂|没有听清"
)
_LOUDER_ZH = re.compile(
    "(?:声音?|嗓门)(?:太小|太轻|有点(?:小|轻)|大(?:一?点|些)|响(?:一?点|些)|再大)|大(?:一?点儿?|些)声|(?<!影)响(?:一?点儿?|些)(?:好伐|伐|吧|好吗|行吗)?$|大声(?:说|讲|念)|音量(?:再|给我)?(?:调|开|放|拧)?(?:大|高)|听不见|听不到|没听见|没听到|声音小|耳朵(?:不好|背|聋)"
)
_REPEAT_EN = re.compile(
    r"^(?:sorry |oh |please |could you |can you |would you |i'm sorry |excuse me )*(?:repeat|repeat that|repeat it|repeat please|say (?:that|it) again|say again|tell me again|again|once more|one more time|come again|pardon|pardon me|i beg your pardon|what|what was that|what did you (?:just )?say|huh|eh|i (?:didn't|did not|couldn't|can't) (?:catch|hear|get|understand|follow)(?: that| you| it)?|i don't understand|sorry)(?: please)?[?]*$"
)
_SLOWER_EN = re.compile(
    r"\bslow(?:er|ly)\b|\bslow down\b|too fast|didn't catch|did not catch|not so fast|couldn't hear|can't hear clearly"
)
_LOUDER_EN = re.compile(
    r"\blouder\b|speak up|volume up|turn (?:it|the volume) up|can't hear you|cannot hear you|too quiet|hard of hearing"
)
_BIGGER_ZH = re.compile(
    "(?:字|字体|字号|文字|屏幕)(?:也|都)?(?:太|有点|这么|那么)?(?:小(?!一?点|些)|看不清|看不见)|(?:小|细|淡)的字|(?:字|字体|字号)(?:再|能不能|可不可以|可以|能|给我|都)*(?:大|放大|调大|变大|弄大|搞大)|放大|大字(?!不识)|大号字|^(?:我)?(?:看不清楚?|看不见)(?:了|啊|呀|字)?$|老花眼?|眼睛(?:不好|花|看不)"
)
_BIGGER_EN = re.compile(
    r"\b(?:bigger|larger|large|big) (?:text|font|letters|print|type|writing)\b|(?:text|font|letters|print|writing|words?) (?:is|are|too|so)+ ?(?:too |so |very )?(?:small|tiny)|\b(?:make|can you make) (?:it|the text|the font|the letters|everything) (?:bigger|larger)|^(?:bigger|larger)(?: please)?$|can't (?:see|read) (?:it|this|the text|the letters|anything)|\bzoom in\b|small print"
)
_BYE_ZH = re.compile(
    "^(?:哦|嗯|好|好的|行|行了|好了|没事了|没了|不用了|没别的了|就这样|那就这样|知道了|晓得了|那|先|可以了|没有了|小帮|够了|明白了)*(?:谢谢|谢谢啊|谢谢你|谢谢您|谢谢侬|谢谢小帮|多谢|谢了|感谢|再见|再会|拜拜|拜|辛苦了|辛苦你了|回头见|下次见|挂了啊)+(?:啊|了|哈|呀|哦|小帮)*$|^(?:行了|好了|好的|嗯|哦|那)*(?:没事了|没别的事了|就这些|没有别的了|没什么了|行了行了|行了|好了好了|好了|没了|没有了)$"
)
_BYE_EN = re.compile(
    r"^(?:ok|okay|oh|great|good|well|right|that's all|that is all|no|nothing else|alright|all right|fine|lovely|perfect|,| )*(?:thanks|thank you|thank you very much|thanks a lot|thank you so much|many thanks|cheers|bye|goodbye|good bye|bye bye|see you|that's all|that is all|nothing else|that'll be all|i'm done)+(?: bye| goodbye| very much| for your help| for now| so much| then)*$"
)
_RESUME_ZH = re.compile(
    f"^(?:好了|好|行|嗯|可以了)*{_I}(?:咱们?|我们)?(?:(?:继续|接着)(?:来|弄|说|办|交|付|查|充|刚才的?(?:那个)?)?|往下(?:说|走|来)?|下一步|回到刚才(?:的|那个|那儿|那里)?|回刚才的?|刚才的?继续){_END}$"
)
_RESUME_EN = re.compile(
    r"^(?:please |let's |ok )*(?:continue|carry on|keep going|resume|go on|back to (?:that|it|before)|where were we)(?: please)?$"
)
_SKIP_ZH = re.compile(
    f"^{_I}(?:这个|这一?步|这一?题|这项)?(?:先)?(?:跳过去?|略过|跳过这个|下一(?:个|题|项|条)|不填|空着|不管(?:这个)?|不说了?|不想说|不告诉你){_END}$"
)
_SKIP_EN = re.compile(
    r"^(?:please |let's |can we )*(?:skip|skip it|skip (?:this|that)(?: one)?|next|pass|leave it blank|rather not say|i'd rather not say)(?: please)?$"
)
_QUESTION_MARKS = re.compile(r"[?!。.,]+$")


def everywhere(text: str, locale: str, voice: bool) -> Command | None:
    """The command of a folded text that works in every state, or None. A person first, then an end, then comfort."""
    parts = clauses(text)
    english = locale == "en"
    if _human(text, english):
        return Human()
    if any((_STOP_EN if english else _STOP_ZH).search(_plain(part, english)) for part in parts):
        return Stop()
    if (_BIGGER_EN if english else _BIGGER_ZH).search(text) and not voice:
        return Bigger()
    return _comfort(text, parts, english) or _leaving(parts, english)


# What a recogniser may write for these words; none of it is a yes, which is never taken by its sound.
_SOUNDING: dict[str, Command] = {
    "人工": Human(), "转人工": Human(), "找人工": Human(), "要人工": Human(), "接人工": Human(), "人工客服": Human(), "叫人来": Human(),
    "停下": Stop(), "停下来": Stop(), "停止": Stop(), "不弄了": Stop(), "不要弄了": Stop(), "别弄了": Stop(), "退出": Stop(),
    "取消": CancelFlow(), "取消吧": CancelFlow(), "算了": CancelFlow(), "算了吧": CancelFlow(),
    "再说一遍": Repeat(), "再讲一遍": Repeat(), "重复一遍": Repeat(), "没听清": Repeat(slower=True), "没听清楚": Repeat(slower=True),
    "慢一点": Repeat(slower=True), "慢点说": Repeat(slower=True), "大声点": Repeat(louder=True), "响一点": Repeat(louder=True),
}  # fmt: skip


def by_sound(text: str, locale: str) -> Command | None:
    """转仁公 heard for 转人工: the command that sounds like all that was heard, or None. For voice only."""
    said = "".join(clauses(text))
    if locale == "en" or len(said) < 2:
        return None
    return next((command for words, command in _SOUNDING.items() if sound_alike(said, words)), None)


def cancels(text: str, locale: str) -> bool:
    """取消, 今天不交,我就问问: every clause gives this piece of business up, or explains that it was only a question."""
    english = locale == "en"
    parts = [_plain(part, english) for part in clauses(text)]
    pattern, excuse = (_CANCEL_EN, _EXCUSE_EN) if english else (_CANCEL_ZH, _EXCUSE_ZH)
    given_up = [bool(pattern.search(part)) for part in parts]
    return any(given_up) and all(up or excuse.search(part) for up, part in zip(given_up, parts, strict=True))


_EXCUSE_ZH = re.compile(
    "^(?:我|就|只是|只|先|是|想|随便)*(?:问问|问一下|问一声|看看|看一下|了解一下|打听一下|打听)|^(?:下次|改天|明天|以后|过两天|回头|等.{1,6})(?:再|吧|说|来)|^(?:我|哎|是|刚才|刚)*(?:按|点|说|弄|搞|讲)错了?|^不好$|^(?:太(?:贵|麻烦|复杂|多)|没钱|谢谢|不用|不要|不了|好吧?|嗯|哦|那|啊|哎|唉|哎哟|哎呀|我再想想|再想想|再说|让我想想|不好意思|对不起)"
)
_EXCUSE_EN = re.compile(
    r"^(?:i )?(?:was )?(?:just|only) (?:asking|looking|checking|wondering)|^(?:maybe )?(?:later|tomorrow|next time)|^(?:thanks|thank you|no|sorry|ok|oh|well|please|actually|too expensive)"
)


def _human(text: str, english: bool) -> bool:
    parts = [_plain(part, english) for part in clauses(text)]
    if english:
        return any(_HUMAN_EN.search(part) and not _NOT_HUMAN_EN.search(part) for part in parts)
    if _NOT_HUMAN_ZH.search(text):
        return False
    return bool(_HUMAN_ZH.search(text)) or any(_HUMAN_CLAUSE_ZH.search(part) for part in parts)


def _comfort(text: str, parts: Sequence[str], english: bool) -> Command | None:
    """Louder, slower, once more."""
    slower, louder = (_SLOWER_EN, _LOUDER_EN) if english else (_SLOWER_ZH, _LOUDER_ZH)
    if len(text) > 30 * (2 if english else 1):
        return None  # a long sentence has other business; 太快了 may be its meter
    is_louder, is_slower = bool(louder.search(text)), bool(slower.search(text))
    if is_louder or (is_slower and not re.search("电表|水表|走得|转得|meter", text)):
        return Repeat(slower=is_slower, louder=is_louder)
    return Repeat() if parts and all(_asks_again(_plain(part, english), english) for part in parts) else None


def _asks_again(clause: str, english: bool) -> bool:
    if english:
        return bool(_REPEAT_EN.search(clause))
    return bool(_REPEAT_ZH.search(clause) or _ONCE_MORE_ZH.search(clause))


def _leaving(parts: Sequence[str], english: bool) -> Command | None:
    plain = [_plain(part, english) for part in parts]
    joined = " ".join(plain) if english else "".join(plain)
    for pattern, command in (
        (_BYE_EN if english else _BYE_ZH, Bye()),
        (_RESUME_EN if english else _RESUME_ZH, Resume()),
        (_SKIP_EN if english else _SKIP_ZH, Skip()),
    ):
        if pattern.search(joined):
            return command
    return None


def _plain(clause: str, english: bool) -> str:
    """A clause without sighs and doubling: 哎哟不弄了不弄了 → 不弄了."""
    clause = _QUESTION_MARKS.sub("", clause).strip()
    if english:
        return re.sub(r"^(?:(?:oh|ah|um+|uh+|well|hey|ok|okay|so)\b[ ,]*)+(?=\w)", "", clause)
    clause = re.sub("^(?:哎哟+|哎呦|哎呀|哎|唉|诶|嗯+|哦+|噢|呃+|啊+)+(?=.)", "", clause.replace(" ", ""))
    return _DOUBLED_PHRASE.sub(r"\1", clause)


_DOUBLED_PHRASE = re.compile(r"^((?![谢拜慢问]).{1,4}?)\1+(?=$|吧|啊|了)")
