"""Sentences about other people: who may see, who may act for whom, whose yes it must be, and a helper's round of her elders."""

from __future__ import annotations

import re

from nlu import aliases
from nlu.commands import Affirm, Command, CorrectSlot, Expectation, Explain, StartFlow

# What the classifier is trained for as well; the rest is for helpers, and the grammar alone knows it.
FLOWS = ("who_sees", "take_back", "invite", "elders_due")

_WHO_SEES_ZH = re.compile(
    "谁.{0,6}(?:看|查|翻|动|瞧|碰|知道|了解|晓得)(?:过|得到|得见|到|见|了)?.{0,6}(?:我|俺|咱|阿拉).{0,8}(?:账|帐|费|单|情况|记录|数据|信息|资料|家)|(?:我|俺|咱)(?:们)?(?:家)?的?(?:账|帐|账单|电费|水费|用电|记录|资料|信息).{0,6}(?:谁|哪些人|哪个|什么人|几个人|有没有人|别人|有人|还有谁).{0,8}(?:看|查|翻|动|知道)|谁(?:有|拿着?)权|(?:有没有|有|还有)(?:别?人|谁)(?:偷偷)?(?:看|查|翻)过?(?:我|咱)|授权(?:给)?了?(?:谁|哪些人)|谁(?:都)?(?:看|查)过我的?$|我(?:都)?(?:给|让)(?:过)?(?:谁|哪些人|什么人)(?:看|查|授权|权)"
)
_WHO_SEES_EN = re.compile(
    r"\bwho(?:'s| is| has| can| may| else)?\b.{0,30}\b(?:see|seen|saw|look|looked|looking|view|viewed|check|checked|access|read)\b.{0,30}\bmy\b|\b(?:anyone|anybody|somebody|someone) (?:else )?.{0,20}\b(?:see|seen|looked|looking|viewed|checked|read)\b.{0,20}\bmy\b|\bwho (?:has|have) (?:permission|access)\b|\bwhom? (?:have|did) i (?:let|allow|allowed|give|given|permit)"
)
_TAKE_BACK_ZH = re.compile(
    "(?<!能)(?:不|别|甭|不要|不想|不用|不许|不准|不能)(?:再)?(?:让|叫|给|准|许|允许)(?!机器|它|电表|水表)(?P<who>.{1,6}?)(?:再|继续|来|去)?(?:看|查|管|帮|替|办|代|弄|碰|动|交|缴|付|充)(?!我付款)|(?:取消|撤销|撤回|收回|解除|停掉|停了|关掉|删掉|去掉|断开|终止|结束|停止).{0,8}(?:授权|权限|绑定|关联|查看|帮办|帮忙|亲情)|(?:授权|权限|绑定|关联).{0,4}(?:取消|撤|收回|解除|停|关|删|去|断|不要)|(?:把)?.{1,6}(?:的)?(?:授权|权限|绑定|关联).{0,4}(?:取消|撤|收回|解除|停|关|删|去掉)|解绑|我不(?:再|想)?(?:帮|管|替|代).{1,6}(?:办|交|缴|看|弄|管|查|付|了)"
)
_TAKE_BACK_EN = re.compile(
    r"\b(?:don't|do not|stop|no longer|never) (?:let|letting|want|allow|allowing)\b.{0,30}\b(?:see|seeing|look|looking|view|check|pay|help|access)|\b(?:stop|end|cancel|revoke|remove|withdraw|take back|take away|undo|delete|unlink|disconnect)\b.{0,30}\b(?:permission|permissions|access|grant|link|helper|consent|right|rights)\b|\bunlink\b|\bi (?:no longer|don't) (?:help|look after)\b"
)
_HANDS_BACK_ZH = re.compile(
    "我不(?:再|想)?(?:帮|管|替|代)(?P<who>[\u4e00-\u9fff]{2,3}?)(?:家|家里)?(?:办|交|缴|看|弄|管|查|付|了|的)"
)
_DUE_ZH = re.compile(
    "(?:谁|哪[位家户个])[^,。]{0,8}最(?:急|着急|紧|要紧|危险)|(?:谁|哪些人|哪几位|哪几户|哪几家|哪些老人|哪位|哪户|哪家|几位|几户|几个老人).{0,8}(?:要|该|得|需要|没|还没|欠|快|到期|过期|逾期|没有)(?:交|缴|付|费|了|到期|过期|逾期|欠)?.{0,6}(?:费|交|缴|付|到期|过期|逾期|账单)|(?:这周|本周|今天|这个?礼拜|这星期|最近|这几天).{0,6}(?:谁|哪些|哪几|哪位).{0,6}(?:交|缴|付|到期|欠)"
)
_DUE_EN = re.compile(
    r"\b(?:who|whose|which (?:elders?|people|households?|bills?))\b.{0,40}\b(?:due|overdue|owes?|owing|to pay|unpaid|pay(?:ing)? this week|needs? paying)\b"
)
_ALL_ZH = re.compile(
    "^(?:都|全部?|全都|一起|一次性?|一口气|统统|一块儿?)(?:帮他们|给他们|替他们|一起|都)?(?:付|交|缴|充)(?:了|掉|完|清)?(?:吧|啊|呀)?$|^把?(?:他们的?|这些|名单上的?|上面的?)(?:都|全部?|全都|一起|一次性?)(?:付|交|缴)(?:了|掉|清)?(?:吧)?$"
)
_ALL_EN = re.compile(
    r"^(?:please )?(?:pay|settle) (?:them all|all of them|everyone|everybody|the whole list|all at once)(?: now| please)?$"
)
_REMIND_ZH = re.compile(
    "^(?:那|就|好|好的|行|请|那就|先|给他们|帮我|给|替我|都|每个|挨个|一个个|逐个|群|统一|再|也)*(?:发|提醒)(?:个|一下|一个|一条|送)?(?:给)?(?:他们|老人们?|每一?位|大家|各家|每家|各位)?(?:的)?(?:提醒|通知|消息|短信)?(?:一下|他们|老人们?|一声|吧|了|好了|大家|每一?位|各位)*$|^(?:再|重新)(?:给他们)?(?:发|提醒)(?:他们)?(?:一[次遍回]|一下)(?:吧)?$"
)
_REMIND_EN = re.compile(
    r"^(?:ok(?:ay)? |then |yes |please |just )*(?:send|remind)(?: (?:them|out|the|a|each|all|everybody|everyone|of them|elders?|reminders?|to|one|message|messages))*(?: again)?(?: please| then)?$"
)
# 请人把这笔交了 is about this bill; 让我女儿帮我交费 may be a leave for every bill, and the talk finds out which.
_PAYER_ZH = "女儿|闺女|囡囡|儿子|老伴|老公|老婆|爱人|先生|太太|家里人|家人|孩子|子女|别人|人"
_ASK_TO_PAY_ZH = re.compile(
    f"^(?:那就?|就|我想|我要|想|能不能|可以)*(?:请|找|让|叫|托|麻烦|拜托)(?:个|我|俺|咱|我家|我们)?的?(?P<who>{_PAYER_ZH})(?:来|去|先)?"
    "(?:(?:帮我|替我|给我|代我|帮忙|帮着)?把?(?:这|那)(?:一?[笔个次张回份户])?(?:.{0,4}费|账单|单子)?(?:帮我|替我|给我|代我|帮忙)?(?:交|缴|付|充)"
    "|(?:帮我|替我|给我|代我|帮忙|帮着)?(?:交|缴|付|充)(?:一下|下|这|那))|"
    "^(?:那就?|就|能不能|可以)*(?:请|找|托|麻烦)(?:个|一个)?人(?:来)?(?:帮我|替我|给我|帮忙|帮着)(?:交|缴|付|充)(?!.*(?:以后|每个?月|一直))"
)
_ASK_TO_PAY_EN = re.compile(
    r"\b(?:ask|get|tell|have)\b.{0,12}\b(?P<who>daughter|son|wife|husband|spouse|family|children|child|relative|somebody|someone)\b.{0,8}"
    r"\bpay (?:this|that|it\b|the (?:\w+ )?bill\b(?!s))"
)
_SPEAK_FOR_ZH = re.compile(
    "(?:我|让我)(?:来)?(?:替|帮|代|给)(?:他|她|老人|本人|老人家|大爷|大妈|阿姨|老伯)?(?:本人)?(?:按|点|同意|确认|输|说|签|答应)|(?:他|她|老人|本人|老人家|大爷|大妈|阿姨)(?:已经|都|刚才|刚|说)?(?:同意|答应|点头|说可以|说行|说好|授权)(?:了|过)?|就在(?:我)?(?:旁边|边上|身边|这儿|跟前)|代(?:他|她|为)(?:确认|同意)|给(?:他|她|本人|老人)打(?:个)?电话"
)
_SPEAK_FOR_EN = re.compile(
    r"\b(?:i|i'll|i will|let me|can i) (?:press|tap|agree|confirm|say yes|do) ?(?:it)? (?:for|on behalf of) (?:him|her|them)\b|\b(?:he|she) (?:agreed|agrees|said (?:yes|it's ok|ok)|already agreed|is (?:right )?(?:here|next to me|beside me))\b|\b(?:ring|call) (?:him|her|them)\b"
)


def wish(text: str, expectation: Expectation, locale: str) -> list[Command]:
    """What a folded sentence wishes concerning other people; [] when it is about something else."""
    english = locale == "en"
    if expectation.slot == "remind_ok" and (_REMIND_EN if english else _REMIND_ZH).search(text):
        return [Affirm("word")]
    if own := _about_himself(text, locale):
        return own
    names_a_bill = bool(aliases.utilities(text, locale))
    if (_TAKE_BACK_EN if english else _TAKE_BACK_ZH).search(text) and not _about_automatic(text):
        return [StartFlow("take_back", whom(text, locale))]
    if asks := asked_to_pay(text, locale):
        return asks
    if invites := invitation(text, locale):
        return invites
    if (_WHO_SEES_EN if english else _WHO_SEES_ZH).search(text):
        return [Explain("others_leave")] if _of_another(text, english) else [StartFlow("who_sees")]
    if (_DUE_EN if english else _DUE_ZH).search(text):
        return [StartFlow("elders_due")]
    if (_ALL_EN if english else _ALL_ZH).search(text) or (_REMIND_EN if english else _REMIND_ZH).search(text):
        return [StartFlow("remind_elders")]
    if not names_a_bill and (_SPEAK_FOR_EN if english else _SPEAK_FOR_ZH).search(text):
        return [StartFlow("speak_for_owner")]
    return []


_ANOTHERS_ZH = re.compile(
    "(?:我|俺|咱|阿拉)(?:爸妈|爸|妈|爹|娘|老公|老婆|老伴|婆婆|公公|岳父|岳母|奶奶|爷爷|外婆|外公|姥姥|姥爷)[^,。]{0,3}(?:账|帐|费|单|记录)|[他她](?:们)?(?:家)?的?(?:账|帐|费|单|记录)"
)
_ANOTHERS_EN = re.compile(
    r"\b(?:his|her|their)\b|\bmy (?:mum|mom|mother|dad|father|parents|husband|wife|grand\w+)(?:'s?|s')? (?:bills?|accounts?)"
)


def _of_another(text: str, english: bool) -> bool:
    """谁能看我爸的账: who sees another's bills is his to know."""
    return bool((_ANOTHERS_EN if english else _ANOTHERS_ZH).search(text))


_OFFERS_ZH = {
    "see": re.compile("^(?:就|那|还是|改成|让(?:他|她))*(?:只|光|就)(?:能|准|许|让(?:他|她))?(?:看|查)(?:账|帐|一看)?(?:吧|就行|就好|就可以了?|的)?$"),
    "spend": re.compile("(?:用|花)(?:的是)?我(?:自己)?的?(?:钱|钱包)"),
    "pay": re.compile("(?:用|花)(?:的是)?(?:他|她|人家)(?:自己)?的?(?:钱|钱包)"),
}  # fmt: skip
_OFFERS_EN = {
    "see": re.compile(r"^(?:no |just |only |let (?:him|her|them) )*(?:just|only) (?:let (?:him|her|them) )?(?:look|see|view)(?:ing)?(?: at (?:them|the bills))?(?: please)?$"),
    "spend": re.compile(r"\b(?:with|from|use|using|spend) my (?:own )?(?:money|purse|wallet)\b"),
    "pay": re.compile(r"\b(?:with|from|use|using) (?:his|her|their) (?:own )?(?:money|purse|wallet)\b"),
}  # fmt: skip


def changed(text: str, expectation: Expectation, locale: str) -> Command | None:
    """What is put right while somebody is being invited: 只看账, 用我的钱; and 甭让闺女看了, which invites nobody."""
    if expectation.in_flow != "invite" or expectation.asks not in {"choice", "confirm"}:
        return None
    english = locale == "en"
    if (_TAKE_BACK_EN if english else _TAKE_BACK_ZH).search(text) and not _about_automatic(text):
        return StartFlow("take_back", whom(text, locale))
    if expectation.asks != "confirm":
        return None
    offers = _OFFERS_EN if english else _OFFERS_ZH
    said = text.strip(" ?。.!,")
    found = [offer for offer, pattern in offers.items() if pattern.search(said)]
    denied = re.search(r"不|别|甭|\bnot\b|n't\b", said)
    return CorrectSlot("invite_may", found[0]) if len(found) == 1 and not denied else None


_ENROL_ZH = re.compile(
    "^(?:我|俺|咱)?(?:想|要|来|先|怎么|咋|如何|可以|能)*(?:登记|注册|报名|开个?户头|加入)(?:一下|个|吧|吗|呢|账号|帮缴|怎么弄|怎么办|了)*[?]?$|新(?:用户|来的)|头一回(?:用|来)|第一次(?:用|来)"
)
_ENROL_EN = re.compile(
    r"\b(?:sign (?:me )?up|register|enrol+|join bangjiao|create an? account|i(?:'m| am) new here|new user|first time here)\b"
)
_PHONE_ZH = re.compile(
    "(?:换|改|变|更换|更改|修改|变更)(?:了)?(?:个|一个|新)?(?:新)?(?:的)?(?:手机号码?|手机|电话号码?|号码|电话)(?:了)?|(?:手机号码?|电话号码?|手机)(?:已经|都)?(?:换|改|变)(?:了|一下|成|掉)?|(?:原来|以前|旧|老)的?(?:手机号?|号码?|电话)(?:不用|停|丢|没)"
)
_PHONE_EN = re.compile(
    r"\b(?:chang(?:e|ed|ing)|update|new|another|different) (?:my |of )?(?:tele)?(?:phone|mobile|cell)(?: number)?\b|\bmy (?:tele)?(?:phone|mobile|cell)(?: number)? (?:has )?changed\b"
)
# A telephone can be a bill: 换个电话费 and 手机话费 are about that.
_PHONE_BILL = re.compile("话费|电话费|座机|费|\\bbill\\b|\\bcredit\\b|\\btop\\b")


def _about_himself(text: str, locale: str) -> list[Command]:
    """Becoming known here, and a telephone number that has changed."""
    english = locale == "en"
    if (_ENROL_EN if english else _ENROL_ZH).search(text):
        return [StartFlow("enrol")]
    if (_PHONE_EN if english else _PHONE_ZH).search(text) and not _PHONE_BILL.search(text):
        return [StartFlow("change_phone")]
    return []


def _about_automatic(text: str) -> bool:
    """取消自动缴费授权 ends a standing order, not a person's leave."""
    return bool(re.search(r"自动|代扣|\bauto|\bdebit", text))


def whom(text: str, locale: str) -> dict[str, str]:
    """Whom a permission is taken back from, where the sentence says so."""
    if relation := aliases.relation(text, locale):
        return {"relation": relation}
    match = (_HANDS_BACK_ZH.search(text) or _TAKE_BACK_ZH.search(text)) if locale == "zh" else None
    who = (match["who"] or "").strip() if match else ""
    return {"person_name": who} if aliases.is_name(who) else {}


_INVITE_ZH = re.compile(
    "请(?:个|别)?人(?:来)?帮(?:忙|我|着)+(?:看|查|管|交|缴|付|办)|(?:请|让|叫|想让|要让|允许|准许|同意|安排|授权(?:给)?|委托|托|拜托)(?:我|俺|咱|阿拉)?(?:的|家|家里)?(?P<who>女儿|闺女|囡囡|儿子|老伴|老公|老婆|爱人|先生|太太|媳妇|女婿|孙子|孙女|侄子|侄女|外甥|亲戚|家里人|家人|孩子|子女|小孩|帮办员|社区(?:的)?(?:人|小\\S)?|居委会?(?:的人)?|小[\u4e00-\u9fff]|别人|哥哥|弟弟|姐姐|妹妹)(?:来|也|能|可以|去|以后|帮我|替我|给我|代我|[用花]我的钱包?)*(?:帮|替|代|给|看|查|管|交|缴|付|弄|办|打理|照看|照应)|(?:邀请|加|添加|绑定|关联|设|设置|添)(?:个|一个|一位|我)?(?:的)?(?:女儿|闺女|儿子|老伴|家人|家里人|亲戚|亲情|子女|帮办员|帮手|代办人|帮忙的人|家庭成员)|(?:发|生成|要|弄|给我)(?:个|一个)?邀请码|邀请(?:别人|人|谁|他|她)"
)
_INVITE_EN = re.compile(
    r"\b(?:let|allow|ask|want|invite|authori[sz]e|have|give|add|link)\b.{0,20}\bmy (?P<who>daughter|son|wife|husband|spouse|partner|niece|nephew|grandson|granddaughter|brother|sister|family|child|children|helper|relative|neighbou?r)\b(?! (?:is|has|was|did|told|said|asked)).{0,40}|\b(?:invite|add|link) (?:a |an |another |some )?(?:relative|helper|family member|somebody|someone|person)\b|\b(?:make|give me|create|send|get|need) (?:me )?(?:a |an )?invit(?:e|ation) ?(?:code)?\b"
)
_JOIN_ZH = re.compile(
    "邀请码(?!.{0,3}(?:发|给我|生成))|(?:有|收到|拿到|接受|认|用)(?:了)?(?:一?个)?(?:我妈|我爸|他们?|她|家里|爸妈)?(?:的|给的|发的)?邀请(?!别人|人)"
)
_JOIN_EN = re.compile(
    r"\b(?:i have|i've got|i got|here is|here's|my|the|accept|use|enter|take up|received)\b.{0,20}\binvit(?:e|ation)(?: code)?\b"
)
_WHO_ZH = {
    "daughter": "女儿闺女囡囡",
    "son": "儿子",
    "spouse": "老伴老公老婆爱人先生太太",
    "helper": "帮办员社区居委",
}
_SIX = re.compile(r"(?<![0-9])[0-9](?: ?[0-9]){5}(?![0-9])")


def invitation(text: str, locale: str) -> list[Command]:
    """Letting somebody help, or taking up such an invitation; [] when a folded sentence speaks of neither."""
    english = locale == "en"
    code = _SIX.search(text)
    if (_JOIN_EN if english else _JOIN_ZH).search(text) and (code or not _asks_for_a_code(text)):
        return [StartFlow("join", {"join_code": code[0].replace(" ", "")} if code else {})]
    match = (_INVITE_EN if english else _INVITE_ZH).search(text)
    return [StartFlow("invite", _offered(text, match, locale))] if match else []


def asked_to_pay(text: str, locale: str) -> list[Command]:
    """A relative is to pay this one bill, with his own money; [] when a folded sentence asks for nothing of the kind."""
    match = (_ASK_TO_PAY_EN if locale == "en" else _ASK_TO_PAY_ZH).search(text)
    if match is None:
        return []
    kinds = sorted(aliases.utilities(text, locale))
    who = _relation(match["who"], locale) if match["who"] else ""
    given = {"pay_who": who} if who in {"daughter", "son", "spouse"} else {}
    return [StartFlow("ask_to_pay", given | ({"utility": kinds[0].value} if len(kinds) == 1 else {}))]


def _asks_for_a_code(text: str) -> bool:
    return bool(
        re.search(
            r"发.{0,2}邀请码|生成|要个?邀请码|给我.{0,3}邀请码|\b(?:make|create|give me|send|need)\b", text
        )
    )


def _offered(text: str, match: re.Match[str], locale: str) -> dict[str, str]:
    """Whom and what, as far as the sentence says it."""
    word = match.groupdict().get("who") or ""
    known = word and not re.match("小(?!孩)", word)  # 小周 may be anybody: it is asked who that is
    found = {} if not known else {"invite_who": _relation(word, locale)}
    own_money = r"\bmy (?:money|purse|account to pay)\b" if locale == "en" else "(?:用|花)我的?(?:钱|钱包)"
    see_only = r"\b(?:only|just) (?:see|look|view)\b" if locale == "en" else "只(?:能|准|许)?(?:看|查)|光看"
    pays = r"\bpay" if locale == "en" else "交|缴|付"
    sees = r"\b(?:see|look at|view)\b" if locale == "en" else "看|查"
    for offer, pattern in (("see", see_only), ("spend", own_money), ("pay", pays), ("see", sees)):
        if re.search(pattern, text):
            return {**found, "invite_may": offer}
    return found


def _relation(word: str, locale: str) -> str:
    if locale == "en":
        known = {
            "daughter": "daughter",
            "son": "son",
            "helper": "helper",
            "wife": "spouse",
            "husband": "spouse",
        }
        return known.get(word, "spouse" if word in {"spouse", "partner"} else "relative")
    return next((kind for kind, words in _WHO_ZH.items() if word in words or word[:2] in words), "relative")
