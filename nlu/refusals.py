"""What we never take and never do: bank cards, bank codes and the openings of a swindle. Nothing of it is kept or repeated."""

from __future__ import annotations

import re

from nlu.commands import Expectation, Refuse
from nlu.digits import looks_like_card, looks_like_identity, spelled_numbers
from nlu.text import MAX_LENGTH

_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9](?:[ \-.,]?[0-9xX*]){11,22}(?![0-9])")
# What stands on an identity card: district, a day of birth, a number; its check character may have been read wrong, too.
_IDENTITY = re.compile(
    "[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9x]"
)
# UnionPay, the cards of this country. One digit read wrong or left out makes it no account number: those begin with 0.
_UNION_PAY = re.compile("62[0-9]{14,17}")
_CARD_WORD = re.compile(
    r"银行卡|信用卡|储蓄卡|借记卡|(?<!智能)卡号|身份证|\b(?:bank|credit|debit) card|(?<!smart )card number|\bid (?:card|number)|passport"
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
    "(?:电费|水费|燃气费|煤气费).{0,4}打[0-9一二三四五六七八九两]{1,2}(?:\\.[0-9])?折|"
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
    return any(is_card(number, expectation) for number in (*numbers, *spelled_numbers(text)))


def is_card(number: str, expectation: Expectation) -> bool:
    """Whether a number is a bank card's or an identity card's, wherever it is said; never one this person uses already."""
    return number not in expectation.known_numbers and belongs_to_a_bank(number)


def belongs_to_a_bank(number: str) -> bool:
    """Whether a number looks like a bank card's or an identity card's. No account number of the catalogue does."""
    alike = looks_like_card(number) or looks_like_identity(number)
    return alike or bool(_UNION_PAY.fullmatch(number) or _IDENTITY.fullmatch(number))


def _has_bank_code(text: str, expectation: Expectation) -> bool:
    if _BANK_CODE.search(text):
        return True
    ours = expectation.asks in {"code", "confirm", "consent"}
    return not ours and bool(_ANY_CODE.search(text)) and bool(_DIGITS.search(text))
