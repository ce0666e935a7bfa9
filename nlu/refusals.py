"""What we never take and never do: bank cards, bank codes and the openings of a swindle. Nothing of it is kept or repeated."""

from __future__ import annotations

import re

from nlu.commands import Expectation, Refuse
from nlu.digits import looks_like_card, looks_like_identity
from nlu.text import MAX_LENGTH

_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9](?:[ \-]?[0-9xX*]){11,22}(?![0-9])")
_CARD_WORD = re.compile(
    r"银行卡|信用卡|储蓄卡|借记卡|卡号|身份证|\b(?:bank|credit|debit) card|card number|\bid (?:card|number)|passport"
)
_BANK_CODE = re.compile(
    "(?:银行|建行|工行|农行|中行|招行|支付宝|微信|短信)[^,。;]{0,8}(?:验证码|动态码|动态密码|口令|密码|校验码)|银行[^,。;]{0,4}码|(?:支付|取款|银行卡|信用卡|网银|卡)的?密码|u盾|cvv|安全码|"
    r"\b(?:bank|card|banking|sms|alipay|wechat)(?:'s)? (?:code|pin|password|otp)|\bcvv\b|\bcvc\b|\bsecurity code\b|code (?:from|sent by) (?:my |the )?bank|password (?:for|of) my bank"
)
_ANY_CODE = re.compile(r"验证码|动态码|校验码|\botp\b|verification code|one[- ]time code")
_DIGITS = re.compile("[0-9一二三四五六七八九零幺]{4,8}")
_SCAM = re.compile(
    r"https?://|\bwww\.|[a-z0-9-]+\.(?:com|cn|net|top|xyz|vip|cc|info|example)(?:/|\b)|安全账户|安全帐户|刷流水|刷单|屏幕共享|共享屏幕|远程控制|远程操作|"
    "公检法|涉嫌洗钱|涉嫌犯罪|通缉|资金清查|解冻(?:费|金)|保证金|垫付返|返现|返利|中奖|"
    "(?:缴|交|付|代|充).{0,10}[0-9一二三四五六七八九两]{1,2}(?:\\.[0-9])?折|[0-9一二三四五六七八九两]{1,2}折.{0,8}(?:缴|交|付|代|充)|打折.{0,4}(?:缴|交|付|代|充)|(?:代缴|代充|缴费|交费).{0,6}(?:打折|优惠|便宜|折扣)|"
    r"\bsafe account\b|share (?:my|your|the) screen|screen sharing|remote control|anydesk|teamviewer|\b[0-9]{1,2} ?% off\b|\bdiscount(?:ed)? (?:bill|payment|electricity|water|gas)|half price|gift card|won a prize|lottery|(?:the )?police (?:said|say|told|called)|arrest warrant"
)


def refusal(text: str, expectation: Expectation) -> Refuse | None:
    """Why the folded text must not be taken, or None. Judged before any value is read."""
    if len(text) > MAX_LENGTH:
        return Refuse("too_long")
    if _has_card(text, expectation):
        return Refuse("card_number")
    if _has_bank_code(text, expectation):
        return Refuse("bank_code")
    return Refuse("scam") if _SCAM.search(text) else None


def _has_card(text: str, expectation: Expectation) -> bool:
    numbers = [re.sub("[^0-9x]", "", match[0]) for match in _LONG_NUMBER.finditer(text)]
    if numbers and _CARD_WORD.search(text):
        return True
    return any(_is_card(number, expectation) for number in numbers)


def _is_card(number: str, expectation: Expectation) -> bool:
    """An account number can look like a card by chance: where one is asked for and the length fits, it is taken for one."""
    fits = expectation.asks == "account" and _fits(len(number), expectation.digits)
    return not fits and (looks_like_card(number) or looks_like_identity(number))


def _fits(length: int, limits: tuple[int, int] | None) -> bool:
    return limits is None or limits[0] <= length <= limits[1]


def _has_bank_code(text: str, expectation: Expectation) -> bool:
    if _BANK_CODE.search(text):
        return True
    ours = expectation.asks in {"code", "confirm", "consent"}
    return not ours and bool(_ANY_CODE.search(text)) and bool(_DIGITS.search(text))
