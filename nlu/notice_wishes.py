"""What somebody wants to be told, where and when: 付成了不用告诉我, 八点以后别打扰, only tell me when something is wrong."""

from __future__ import annotations

import re
from typing import Any

from nlu import aliases, numerals
from nlu.commands import Expectation, StartFlow

FLOW = "notice_wishes"

_TELL_ZH = "告诉|通知|提醒|提示|报告|汇报|发(?!图|语音|文字|照片|表情|红包|票|朋友)(?:消息|短信|信息|微信|通知|提醒)?|打电话|来电话|打扰|吵|烦|找我|响"
_NO_ZH = "(?:不用|不必|不要|不想|甭|别|勿(?!扰)|不需要|无需|停止)"
_NOT_TOLD_ZH = re.compile(
    f"{_NO_ZH}(?:再|老|总|每次|每回|都|什么都|也|一直|天天)*(?:(?:给我|跟我|向我|来|对我|往这儿)?(?:{_TELL_ZH}|收(?:到)?(?:通知|提醒|消息|短信))|(?:跟|给|对)我(?:说|讲)|来(?:消息|短信|通知|$)|催我)|"
    "(?:通知|提醒|消息|短信|推送)(?:都|全|给我|就|可以)*(?:关(?:掉|了|闭)?|取消|停(?:掉|了)?|退订|(?:我)?不要(?:了|$)|免了|少发|别(?:再)?来)|(?:关(?:掉|闭)?(?!的)|取消|退订|屏蔽)(?:掉)?(?:所有|全部|那些|这些|掉)?(?:通知|提醒|消息|短信|推送)|少发(?:点|些|几条)"
)
_NOT_TOLD_EN = re.compile(
    r"\b(?:don't|do not|no need to|needn't|stop|quit|never|not to|please no longer|rather not be)\b(?: \w+){0,3}? ?\b(?:tell(?:ing)?|notif(?:y|ied|ying)|messag(?:e|ing)|text(?:ing)?|remind(?:ing|ed)?|alert(?:ing)?|call(?:ing)?(?! me (?:grand|mrs|mr|miss|uncle|aunt|sir|dear|granny|old|by my))|ring(?:ing)?|phon(?:e|ing)|send(?:ing)?|bother(?:ing)?|disturb(?:ing|ed)?|writ(?:e|ing)|told|report(?:ing)?)\b|"
    r"\bno (?:more )?(?!voice|picture)(?:\w+ ){0,3}(?:messages|texts|notifications|notices|reminders|alerts|calls|warnings)\b|\b(?:unsubscribe|opt out|mute|silence|cut out|skip|tired of|don't want (?:any|the))\b.*\b(?:me|messages|texts|notifications|notices|reminders|alerts|note)\b|\btoo many (?:messages|texts|reminders|alerts)\b|\b(?:turn|switch) (?:off|of) (?:all |the |my )*(?:\w+ )?(?:messages|texts|notifications|notices|reminders|alerts)\b|\b(?:messages|texts|notifications|notices|reminders|alerts) off\b|\bmute (?:the |all |my )*(?:messages|texts|notifications|notices|reminders|alerts)\b"
)
_TOLD_ZH = re.compile(
    "(?:要|还是|照样|也|重新|恢复|打开|开启|继续|都|全)(?:给我|跟我)?(?:告诉|通知|提醒|发)|(?:通知|提醒|消息)(?:都|全|给我|重新)*(?:打开|开(?:着|起来|启)|恢复)|又想收|也要(?:跟|给)我(?:说|讲)|(?:恢复|打开|开启)(?:所有|全部)?(?:的)?(?:通知|提醒|消息)"
)
_TOLD_EN = re.compile(
    r"\b(?:do|please|still|always|again) (?:tell|notify|message|text|remind|alert)\b|^(?:tell|notify|remind|alert|text|message) me\b|\b(?:turn|switch) (?:on|back on) (?:all |the |my )*(?:\w+ )?(?:messages|notifications|notices|reminders|alerts)\b|\b(?:messages|notifications|notices|reminders|alerts) (?:back )?on\b"
)
_ALL_ZH = re.compile(
    "^(?:那|算了|还是|就|请|以后|往后|我|要|,)*(?:都|全都?|全部|统统|什么都|所有(?:的)?(?:通知|消息|提醒)?(?:都)?|样样都)(?:要)?(?:告诉|通知|提醒|发给?|说给)(?:我|我听)?(?:吧|啊|就行|好了|,谢谢)*[。!]*$|(?:恢复|打开|开启)(?:所有|全部)(?:的)?(?:通知|提醒|消息)"
)
_ALL_EN = re.compile(
    r"^(?:please |just |ok |from now on |i want (?:you )?to |i'd like (?:you )?to )*(?:tell|notify|send|message) me (?:about )?(?:everything|all of it|all)(?: again| please| from now on)*[.!]*$|\b(?:turn|switch) (?:all |every)\w* ?(?:notifications|notices|reminders|alerts|messages) (?:back )?on\b|\b(?:turn|switch) (?:back )?on (?:all |every)"
)
_ONLY_ZH = re.compile(
    "(?:只|光|就|仅)(?:有|在|要|是|等)?(?:真的?)?(?:出(?:了)?(?:事|问题|岔子|错)|有(?:事|问题|麻烦)|没(?:付|交|充|缴)(?:成|上)|失败|不对|急事|要紧(?:的|事)|重要(?:的|事)|坏事|欠费)(?:了)?(?:的)?(?:时候|时|才|再|了)*(?:要)?(?:再)?(?:告诉|通知|提醒|说|找|发|打)|"
    "(?:没事儿?|平时|平常|没什么事|好好的)(?:就|的时候)?(?:别|不用|不要|甭)(?:再|老|给我|来|天天)*(?:发|找|打扰|烦|告诉|通知|提醒|打电话|报平安)|光是坏消息|除了没(?:付|交|充|扣)成|(?:出(?:了)?(?:事|问题)|欠费(?:了)?|没(?:付|交|充)成)(?:了)?(?:才|再)(?:告诉|通知|找|发|提醒)"
)
_ONLY_EN = re.compile(
    r"\bonly (?:(?:tell|notify|message|text|alert|contact|bother|call|write to) me )?(?:when|if|in case|about|for)\b.*\b(?:wrong|problem|trouble|fails?|failed|urgent|overdue|important|emergency|serious|out)\b|\b(?:tell|notify|message|text|alert|contact|bother|write to|call|send)\b.*\bonly (?:about |for |when |if |with |in )+.*(?:problem|trouble|fail|wrong|urgent|bad news|emergenc|overdue|important|serious)|\b(?:only|just) (?:the )?(?:bad news|problems|failures|emergencies|urgent ones|important ones)\b|\bno news is good news\b|\b(?:nothing|quiet|peace|nobody|(?:don't|do not) (?:tell|text|call|ring|message|bother|notify|write|disturb|send)\b[^,.]*) unless\b|\bonly write (?:if|when)\b|\bonly want the warnings\b"
)
_UNDO_ZH = re.compile(
    "^(?:刚才|刚刚)改的(?:通知|提醒|那个)?不算(?:数|了)|^(?:那|还是|给我|帮我|请|把(?:它|通知|提醒)|通知|提醒|我|刚才的?|都|算了|,)*(?:改回(?:来|去|原来(?:那样|的样子|的)?)|变回(?:来|去|原来)|还原|撤回刚才的?(?:改动|设置)?|(?:跟|像|照|和)(?:原来|以前|之前)(?:一样|那样)?(?:发|通知|提醒|告诉我)?)(?:吧|了|好了|行吗|,谢谢)*[。!?]*$"
)
_UNDO_EN = re.compile(
    r"^(?:please |ok |no |actually |can you |could you |sorry |then |just )*(?:change (?:it|that|this) back|put (?:it|that|this) back|undo(?: it| that| this| the (?:last )?change)?|set (?:it|that) back|back to how it was|as it was before|like before)(?: please| again)*[.!?]*$|\bput the (?:notices|reminders|alerts) back\b|\bundo what i (?:just )?(?:changed|set)\b"
)
_LOOK_ZH = re.compile(
    "(?:通知|提醒|消息|短信)(?:的)?(?:是)?(?:怎么设|设置|设成|怎么发|怎么改|设定)|(?:改|设|调|换|弄|看)(?:一?下|一改|看看?|改)?(?:我的?)?(?:通知|提醒)(?:的)?(?:设置|方式|时间)?(?:吧|吗)?$|(?:会|都|现在|平时)(?:会|都|现在)*(?:给我)?(?:发|通知|提醒|告诉)(?:我)?(?:哪些|什么|啥|些什么)|(?:收到?|有)(?:哪些|什么|啥)(?:通知|提醒|消息)|什么(?:事|时候|情况下?)(?:会)?(?:通知|告诉|打扰)我|几点(?:以后|之后)(?:就)?(?:不|会)打扰|(?:通知|提醒|免打扰|安静)(?:这块|的?时间)?(?:是)?(?:怎么设|调一?调|改一?改)"
)
_LOOK_EN = re.compile(
    r"\b(?:notification|notice|reminder|alert|message) (?:settings|preferences|options)\b|\bwhat (?:do|will|would) you (?:tell|notify|send|message|text|alert) me\b|\b(?:which|what) (?:notifications|notices|reminders|alerts|messages) (?:do|will|am|are)\b|\b(?:change|set|see|adjust) (?:up )?(?:my |the )?(?:notifications|notices|reminders|alerts|quiet hours)\b|\bhow are my (?:notices|reminders|alerts|notifications) set\b|\bwhen will you (?:contact|call|message|write to) me\b|\bwhat am i (?:going to be )?told\b"
)

# --- which things -----------------------------------------------------------------------------------------------------

_WHAT_ZH = (
    ("trouble", re.compile("没(?:付|交|充|缴|扣)(?:成|上|到)|(?:付|交|充|缴|扣)(?:不成|不上|失败)|失败|快(?:没|停)[电水气]?|余额(?:不足|不够|低|少)|(?:电|水|气|钱)(?:快|要)?(?:没|不够)|停[电水气]|断[电水气]|欠费|动(?:了)?我的钱|出(?:事|问题)")),
    ("paid", re.compile("(?:付|交|充|缴|扣|存|买)(?:费|款|钱|值|电|水)?(?:都)?(?:成(?:功)?|好|上|完|过|了(?!解)|到账)|成功|到账|扣款|扣钱|充值|入账|(?:每次|每回|每笔)(?:自动)?(?:付|交|充|扣|缴)")),
    ("bills", re.compile("账单|到期|出账|该(?:交|缴)|催(?:交|缴|费)|要交费|缴费日")),
    ("changes", re.compile("(?:改动|变动|变化|改了|调(?:低|整)|暂停|动过)")),
)  # fmt: skip
_WHAT_EN = (
    ("trouble", re.compile(r"\bfail\w*|\bcould(?:n't| not) (?:pay|be paid)|\blow (?:balance|meter)|\bbalance (?:is |gets )?low|\brunn?(?:s|ing)? (?:low|out)|\bcut[- ]?offs?\b|\boverdue\b|\bwarnings?\b|\bsomething (?:is|goes) wrong|\bproblems?\b")),
    ("paid", re.compile(r"\b(?:paid|payments?|went through|topped up|top-?ups?|charged|charges|success\w*|works? (?:out )?fine|receipts?|goes through)\b")),
    ("bills", re.compile(r"\b(?:due|bills?|new bill)\b")),
    ("changes", re.compile(r"\b(?:chang\w+|paus\w+|lower\w*)\b")),
)  # fmt: skip

# --- where ------------------------------------------------------------------------------------------------------------

_BY_CALL_ZH = re.compile(
    "(?<!人)(?<!他)(?<!方)(?:打|用|改成?(?:打)?|换成?(?:打)?|走)电话(?:里)?(?:来)?(?:告诉|通知|说|提醒|讲|给我(?:说|讲))|电话里(?:说|讲|告诉|通知|提醒)|(?:改成?|换成?)(?:打)?电话(?:通知|提醒)?"
)
_BY_TEXT_ZH = re.compile(
    "(?:发|用|改成?(?:发)?|换成?(?:发)?|走)短信(?:来)?(?:告诉|通知|说|提醒|给我|就行|吧|就好|$)|短信(?:告诉|通知|提醒)"
)
_HERE_ZH = re.compile(
    "(?:在|用|就)?(?:这儿|这里|这边|微信|聊天里?|手机上)(?:告诉|通知|说|发|提醒)|(?:别|不要|不用|甭)(?:再)?打电话(?:了|给我)*[。!]*$|(?:别|不要|不用)(?:再)?发短信(?:了)?[。!]*$|发到这个?(?:聊天|群)?里"
)
_BY_CALL_EN = re.compile(
    r"\b(?:call|ring|phone) me (?:instead|about|with|when|for|rather)\b|\b(?:tell|notify|remind|alert) me (?:by|over|on) (?:the )?(?:phone|telephone)\b|\bby (?:phone|telephone) please\b"
)
_BY_TEXT_EN = re.compile(
    r"\b(?:get|use|want) (?:a )?text(?: message)?s?\b|\btext me (?:instead|about|rather)\b|\b(?:tell|notify|remind|alert|send)\b.*\b(?:by|as|via) (?:a )?(?:text|sms|text message)s?\b|\b(?:by|via) sms\b|\bsend (?:me )?(?:a )?(?:text|sms)(?: message)?s? instead\b"
)
_HERE_EN = re.compile(
    r"\b(?:tell|notify|remind|message|write to) me (?:right )?here\b|\b(?:here )?in (?:the|this) chat\b|\bkeep .* (?:in )?here\b|\b(?:don't|do not|stop) (?:call|calling|ring|ringing|phone|phoning)(?: me)?(?: please| any more| anymore)*[.!]*$"
)

_NO_ROAD = re.compile(
    f"{_NO_ZH}(?:再|老|总)*(?:给我)?(?:打电话|发短信|用短信|用电话|短信|电话)|\\b(?:don't|do not|stop|not) (?:call|calling|ring|ringing|phone|phoning|text|texting)(?: me)?"
)

# --- when -------------------------------------------------------------------------------------------------------------

_HOUR_ZH = "(?P<{0}day>早上|早晨|上午|中午|下午|傍晚|晚上|夜里|晚|早|夜)?(?P<{0}>[0-9]{{1,2}}|[一二两三四五六七八九]|十[一二]?)点(?:钟|半|整)?"
_FROM_ZH = re.compile(_HOUR_ZH.format("since") + "(?:以后|之后|过后|后|过了|往后|起|开始)")
_TO_ZH = re.compile(_HOUR_ZH.format("until") + "(?:以前|之前|前)")
_AFTER_ZH = re.compile(_HOUR_ZH.format("until") + "(?:以后|之后|后)?(?:再|才)")
_SPAN_ZH = re.compile(
    _HOUR_ZH.format("since") + "(?:到|至|-|~)(?:第二天|次日|明早)?" + _HOUR_ZH.format("until")
)
_HOUR_EN = r"(?P<{0}>[0-9]{{1,2}}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon)(?: o'clock)? ?(?P<{0}day>am|a\.m\.?|pm|p\.m\.?|in the (?:morning|evening|afternoon)|at night)?"
_FROM_EN = re.compile(r"\b(?:after|past|from) " + _HOUR_EN.format("since"))
_TO_EN = re.compile(r"\b(?:before|until|till) " + _HOUR_EN.format("until"))
_SPAN_EN = re.compile(
    r"\b(?:from|between) " + _HOUR_EN.format("since") + r" (?:to|and|until|till) " + _HOUR_EN.format("until")
)
_QUIET_ZH = re.compile(
    "打扰|免打扰|勿扰|吵|安静|静音|(?:别|不要|甭|不用)(?:再|给我)*(?:打电话|打|发|响|来|通知|提醒)|(?:再|才)(?:发|通知|提醒|告诉|打|找)"
)
# Somebody rung up after six wants to be: only with a no, or a word for being left alone.
_QUIET_EN = re.compile(
    r"\b(?:disturb\w*|bother\w*|quiet|wake|mornings only|nothing)\b|\b(?:no|don't|do not|not|never|stop|nobody|only)\b.*\b(?:call\w*|ring\w*|phone|phoning|text\w*|messag\w*|send\w*|notif\w+|remind\w*|alerts?|notices|writ\w+|anything)\b"
)
_NIGHT_ZH = re.compile("晚上|夜里|半夜|夜间|深夜|睡(?:觉|了)|晚间|午睡|大清早|一大早")
_NIGHT_EN = re.compile(r"\b(?:at night|in the evenings?|evenings|nights?|late|asleep|sleep\w*|early)\b")
_USUAL_HOURS = re.compile(
    "(?:时间|时段)(?:恢复|改回|还)(?:原来|平常|默认|以前)|(?:按|恢复|改回)(?:原来|平常|默认)的?(?:通知|提醒)?的?(?:时间|时段)|\\b(?:usual|normal|default) (?:quiet )?(?:hours|times)\\b"
)
_MAY_AT_NIGHT = re.compile(
    "(?:晚上|半夜|夜里|[0-9十]{1,2}点)(?:以后)?(?:也|都|照样)(?:可以|能|行|要|给我)?(?:告诉|通知|发|提醒|打|找)|\\b(?:also|even) (?:at night|late|after (?:nine|9|ten|10))\\b|\\bany time (?:of )?(?:day or night|the night)\\b"
)

# --- whose ------------------------------------------------------------------------------------------------------------

_WHO_ZH = "(?:我|俺|咱)?(?:的)?(?:爸妈|爸爸|妈妈|爸|妈|父亲|母亲|父母|女儿|闺女|儿子|老伴|老公|老婆|先生|太太|爷爷|奶奶|外婆|外公|姥姥|姥爷|婆婆|公公|他们|她|他)"
_SILENCE_ZH = re.compile(
    f"{_NO_ZH}(?:再|老|总|也)*(?:给|跟|对|往|向|去|把(?:这|它|事)?)?(?:发给|发到|转给|打给|告诉|通知|提醒|打扰|烦|吵)?{_WHO_ZH}(?:那边|那儿|手机|家|听|知道)?(?:收|发|打|说|告诉|通知|提醒|听|知道|打扰|了|$)|{_WHO_ZH}(?:那边|那儿|的手机)?(?:就)?(?:别|不用|不要|甭)(?:再|老)*(?:发|告诉|通知|打电话|提醒|打扰)"
)
_ALSO_ZH = re.compile(
    f"(?:通知|提醒|消息|短信|信息|账单)?[^,。]{{0,6}}(?:发|转|抄送|寄|告诉|通知|提醒)(?:一份)?(?:给|到|去)?{_WHO_ZH}(?:那边|那儿|的?手机|的?微信|一声|一下|一份|吧|就行|就好|$)|(?:也|同时)(?:给|告诉|通知|提醒|发给){_WHO_ZH}|{_WHO_ZH}(?:的手机|那边)?也(?:要|能|得|该)?(?:收|听|知道)|(?:发|打)(?:给|到){_WHO_ZH}"
)
_SILENCE_EN = re.compile(
    r"\b(?:don't|do not|stop|never|no need to)\b(?: \w+){0,2}? ?(?:tell|telling|notify|notifying|text|texting|call(?! me)|calling(?! me)|message|messaging|remind|reminding|bother|bothering|send|sending|disturb|disturbing|ring|ringing|phone|phoning)\b(?: \w+){0,3}? ?\b(?:my )?(?:mother|mum|mom|father|dad|parents|daughter|son|wife|husband|grandma|grandmother|grandpa|grandfather|her|him|them)\b|\bno more \w+ to (?:them|him|her|my \w+)\b|\bleave my (?:parents|mother|mum|mom|father|dad|wife|husband|grandma|grandpa) (?:out of it|alone)\b"
)
_ALSO_EN = re.compile(
    r"\b(?:send|forward|copy|tell|notify|text|alert|remind)\b(?: \w+){0,4}? ?\b(?:to )?(?:my |both me and my )(?:mother|mum|mom|father|dad|parents|daughter|son|wife|husband|grandma|grandmother|grandpa|grandfather)\b|\b(?:let |can |could )?my (?:mother|mum|mom|father|dad|parents|daughter|son|wife|husband) (?:should |also |please )*(?:get|be told|receive|hear)\b"
)


# --- what sounds alike and is something else --------------------------------------------------------------------------

# Secrets, swindlers, a changed number, somebody else's calls: whoever speaks of these wants no setting changed.
_OF_ELSE_ZH = re.compile(
    "密码|验证码|口令|骗|诈|换(?:了)?(?:个)?(?:手机|电话|号)|号(?:码)?(?:也|都)?(?:换|变|改|停|丢|不用)|[新旧那这]个?号|旧的|要钱|零钱|找钱|别人|人家|外人|陌生|任何人|"
    f"(?:让|叫|要求|逼|劝|教|说)我?(?:先|都)?{_NO_ZH}|{_NO_ZH}(?:再)?(?:给我)?自动|(?:只|光)(?:是)?提醒"
)
_OF_ELSE_EN = re.compile(
    r"\bwithout (?:telling|asking|notifying|letting)\b|\b(?:was|were|got|am|been|being) (?:i |we )?(?:never|not|n't)\b|\bwasn't told\b|\b(?:you|nobody|no one|they|he|she) (?:have |has )?(?:never|not|didn't|did not) (?:told|tell|call|called|text|texted)\b|\bnever got\b|"
    r"\bsend(?:ing)? (?:the |any |my |that |this |him |her |them )*(?:money|it|payment|cash|yuan)\b|\bdon't send\b(?! (?:me |us |any |the |more |so many |these |those )*(?:\w+ )?(?:messages?|texts?|notif|notices?|remind|alerts?|me$|me[ ,.]|us\b|anything (?:at night|after|before|unless)))|"
    r"\bnever mind\b|\b(?:who|whom|what number) to call\b|\bcall (?:anybody|anyone|them|the (?:bank|police|company))\b|\b(?:pin|password|passcode|code|codes|secret)\b|\bscam\w*|\bfraud\w*|\btold me (?:not|never)\b|\b(?:new|old|another|changed my|wrong) (?:phone |telephone )?number\b|"
    r"\btell (?:anyone|anybody|no one|nobody|strangers?)\b"
)
# 付成了, 扣款的通知, 该交费的时候: what is told of, not what is to be done.
_TOLD_OF_ZH = re.compile(
    "没(?:付|交|充|缴|扣)(?:成|上|到|完)?|(?:付|交|充|缴|扣|存|买)(?:费|款|钱|值|电|水)?(?:都)?(?:成(?:功|了)?|好(?:了)?|上(?:了)?|完(?:了)?|过(?:了)?|掉了|到账|失败|不成|不上|没(?:成|有)?)|"
    "(?<![别不都先甭])(?:付|交|充|缴|扣|存|买)(?:费|款|钱|值|电|水)?了|"
    "(?:自动)?(?:付|交|充|缴|扣|收|催)(?:费|款|钱|值|电|水|缴|交)?(?:的)?(?:通知|提醒|消息|短信|信息|推送|记录|结果|事|情况|时候|时|之前|以前|前|之后|以后|后|日|日期|期限)|"
    "(?:每次|每回|每笔|该|要|又)(?:自动)?(?:付|交|充|缴|扣)(?:费|款|钱|值|电|水)?|催(?:交|缴|费|款)|"
    "自动(?:付|交|充|缴|扣)(?:费|款)?(?:被)?(?:改|变|动|调)(?:了|过|动)"
)
_DOES_ZH = re.compile("[付交充缴扣]|取消(?:这|那|付|支)|买电")
_TOLD_OF_EN = re.compile(
    r"\b(?:autopay|auto-?pay|automatic (?:payments?|top-?ups?))(?: has| have)? (?:went|goes|go|gone|works?|worked|is done|ran|runs|fails?|failed|succeed\w*)\b|\b(?:when|whenever|after|before|if|once|each time|every time|that|about|until|as soon as) (?:\w+ ){0,3}?(?:pay|pays|charge|charges|top up|tops up|debit)\b|\bto pay\b|\b(?:the |my |a |any |each |every )(?:auto\w* )?(?:pay|charge|top-?up|debit)s?\b|\b(?:pay|top-?up|charge|debit)(?:ment)? (?:notif\w+|notices?|reminders?|alerts?|messages?|texts?)\b"
)
_DOES_EN = re.compile(
    r"\b(?:pay|charge|top up|debit|transfer|autopay|auto-?pay|automatic (?:payments?|top-?ups?))\b(?! (?:notif|notices?|remind|alerts?|messages?|texts?))|\bcancel (?:the |this |my |that )*(?:payment|mandate|autopay)\b|\b(?:skip|cut out|leave out) the (?:gas|water|electric\w*|power|phone|heating)\b"
)


def speaks_of_else(text: str, locale: str) -> bool:
    """Whether a folded text wants money moved or stopped as well, or is about secrets, swindles or complaints: no setting then."""
    if locale == "en":
        return bool(_OF_ELSE_EN.search(text) or _DOES_EN.search(_TOLD_OF_EN.sub(" ", text)))
    return bool(_OF_ELSE_ZH.search(text) or _DOES_ZH.search(_TOLD_OF_ZH.sub("※", text)))


def asked(text: str, expectation: Expectation, locale: str) -> StartFlow | None:
    """The wish about notices a folded text surely is; None when it is something else, or answers what money waits for.

    自动充成功了不用告诉我 speaks of telling, not of stopping the automatic payment, so this is looked at first. Whatever else the
    sentence wants comes before it: 把自动缴费停了,也别发短信了 stops the payments.
    """
    if expectation.in_flow is not None and expectation.asks not in ("open", "choice"):
        return None
    if speaks_of_else(text, locale):
        return None
    found = slots(text, locale)
    does = found.get("notice_do")
    sure = does in _SURE or (does == "also" and _OF_NOTICES.search(text) is not None)
    return StartFlow(FLOW, found) if sure else None


_SURE = frozenset({"off", "only_trouble", "all", "quiet", "usual_hours", "road", "undo", "others", "look"})
_OF_NOTICES = re.compile(
    r"通知|提醒|消息|短信|\b(?:send|forward|copy|cc)\b.*\b(?:notif\w+|notices?|reminders?|alerts?|messages?)\b"
)


def slots(text: str, locale: str) -> dict[str, Any]:
    """What a folded text says of notices, in the slots of the flow; {} when it only touches the matter."""
    english = locale == "en"
    if (_UNDO_EN if english else _UNDO_ZH).search(text):
        return {"notice_do": "undo"}
    if whose := _whose(text, english):
        return whose
    if hours := _hours(text, english):
        return hours
    if (_ONLY_EN if english else _ONLY_ZH).search(text):
        return {"notice_do": "only_trouble"}
    if road := _road(text, english):
        return {"notice_do": "road", "notice_road": road}
    if (_ALL_EN if english else _ALL_ZH).search(text):
        return {"notice_do": "all"}
    return _which(text, english)


def _which(text: str, english: bool) -> dict[str, Any]:
    what = next((name for name, words in (_WHAT_EN if english else _WHAT_ZH) if words.search(text)), None)
    named = {"notice_what": what} if what else {}
    if (_NOT_TOLD_EN if english else _NOT_TOLD_ZH).search(text):
        return {"notice_do": "off"} | named
    if (_LOOK_EN if english else _LOOK_ZH).search(text):
        return {"notice_do": "look"}
    return {"notice_do": "on"} | named if (_TOLD_EN if english else _TOLD_ZH).search(text) else {}


def _whose(text: str, english: bool) -> dict[str, Any]:
    """别给我妈发了 would silence another; 提醒也发给我女儿 lets another hear."""
    silenced = (_SILENCE_EN if english else _SILENCE_ZH).search(text)
    told = None if silenced else (_ALSO_EN if english else _ALSO_ZH).search(text)
    found = silenced or told
    if found is None:
        return {}
    relation = aliases.relation(found[0], "en" if english else "zh")
    return {"notice_do": "others" if silenced else "also"} | ({"relation": relation} if relation else {})


def _road(text: str, english: bool) -> str | None:
    roads = (
        (("voice", _BY_CALL_EN), ("sms", _BY_TEXT_EN), ("chat", _HERE_EN))
        if english
        else (("sms", _BY_TEXT_ZH), ("chat", _HERE_ZH), ("voice", _BY_CALL_ZH))
    )
    said = _NO_ROAD.sub("※", text)
    wanted = next((road for road, words in roads if words.search(said)), None)
    return wanted or ("chat" if (_HERE_EN if english else _HERE_ZH).search(text) else None)


def _hours(text: str, english: bool) -> dict[str, Any]:
    if _USUAL_HOURS.search(text):
        return {"notice_do": "usual_hours"}
    if _MAY_AT_NIGHT.search(text):
        return {"notice_do": "quiet", "quiet_from": 23}
    quiet, night = (_QUIET_EN, _NIGHT_EN) if english else (_QUIET_ZH, _NIGHT_ZH)
    not_told = (_NOT_TOLD_EN if english else _NOT_TOLD_ZH).search(text)
    if not quiet.search(text):
        return {}
    found = _span(text, english)
    if found:
        return {"notice_do": "quiet"} | found
    return {"notice_do": "quiet"} if night.search(text) and not_told else {}


def _span(text: str, english: bool) -> dict[str, Any]:
    if said := (_SPAN_EN if english else _SPAN_ZH).search(text):
        hours = {"quiet_from": _evening(said["since"], said["sinceday"]), "quiet_to": _morning(said["until"])}
        # 早上八点到晚上八点可以打 names the hours of telling, the other way round.
        return hours if _is_evening(said["since"], said["sinceday"]) else {}
    if (
        not english
        and (after := _AFTER_ZH.search(text))
        and not _is_evening(after["until"], after["untilday"])
    ):
        return {"quiet_to": _morning(after["until"])}
    found: dict[str, Any] = {}
    if said := (_FROM_EN if english else _FROM_ZH).search(text):
        if not english and re.match("再|才", text[said.end() :]):
            return {}
        found["quiet_from"] = _evening(said["since"], said["sinceday"])
    if said := (_TO_EN if english else _TO_ZH).search(text):
        day = said["untilday"]
        late = re.match("晚|夜|下|傍|p|in the e|in the a|at n", day or "") is not None
        found["quiet_to"] = _evening(said["until"], day) if late else _morning(said["until"])
    return found


def _count(said: str) -> int:
    """The hour a text names: 8, eight, 八, 十二, noon."""
    if said.isdigit():
        return int(said)
    if said.isascii():
        return 12 if said == "noon" else numerals.ONES.index(said)
    return numerals.chinese(said)


def _is_evening(said: str, day: str | None) -> bool:
    return _count(said) > 12 or not re.match("早|上|a|in the m", day or "")


def _evening(said: str, day: str | None) -> int:
    """八点以后 as the end of a day: 20."""
    hour = _count(said)
    return hour + 12 if hour < 12 and _is_evening(said, day) else hour


def _morning(said: str) -> int:
    return _count(said) % 24
