"""校验账本, 对账, 核对收据: what those who keep the books ask. Heard from auditors and operators only."""

from __future__ import annotations

import re
from datetime import date, timedelta

from nlu import auditing
from nlu.commands import StartFlow

VERIFY, RECONCILE, RECEIPT = "verify_book", "reconcile_day", "check_receipt"

_PLEASE = "(?:请|再|给我|帮我|来|现在|把|你)*"
_VERIFY_ZH = re.compile(
    f"^{_PLEASE}(?:(?:校验|核验|检验|验证|检查|查验|核对|验)(?:一下|一遍|下)?(?:账本|帐本|总账|账册|哈希链|链)|"
    "(?:账本|帐本|总账)(?:有没有|是不是|有)?(?:被)?(?:改|动|完整|对得上|一致)?(?:过|的)?(?:吗|没有)?)(?:一下|一遍|吧|了吗)*$"
)
_VERIFY_EN = re.compile(
    r"^(?:please )?(?:verify|check|validate) (?:the )?(?:ledger|book|books|hash chain)(?: please| now)?$|"
    r"^(?:was|has) (?:the )?(?:ledger|book) (?:been )?(?:changed|tampered with)$"
)
_DAY = "(?:[0-9年月日号/.-]{1,12}|今天|昨天|前天)?的?"
_RECONCILE_ZH = re.compile(
    f"^{_PLEASE}{_DAY}(?:对|核对|勾)一?(?:下|遍)?{_DAY}[账帐](?![单户号本]){_DAY}(?:吧|一下|一遍)*$|"
    f"^{_PLEASE}{_DAY}[账帐](?:对|核对)(?:一?下|一?遍)(?:吧)?$"
)
_RECONCILE_EN = re.compile(r"^(?:please )?reconcile(?: .{0,30})?$|^compare the statements?(?: .{0,30})?$")
_RECEIPT_ZH = re.compile(
    f"^{_PLEASE}(?:核对|校验|查验|验证|验|查)(?:一下|下)?(?:收据|小票|凭证|回单)(?:码|号)?(?P<code>[0-9a-z-]{{9,20}})$"
)
_RECEIPT_EN = re.compile(r"^(?:please )?(?:check|verify) (?:the )?receipt (?P<code>[0-9a-z -]{9,20})$")
_END = re.compile(r"[?!。.,，？！ ]+$")


def wish(text: str) -> StartFlow | None:
    """What a folded sentence wishes when a keeper of the books says it; None when it is something else."""
    said = _END.sub("", text)
    tight = said.replace(" ", "")
    if found := _RECEIPT_ZH.search(tight) or _RECEIPT_EN.search(said):
        return StartFlow(RECEIPT, {"receipt_code": found["code"]})
    if _VERIFY_ZH.search(tight) or _VERIFY_EN.search(said):
        return StartFlow(VERIFY)
    if _RECONCILE_ZH.search(tight) or _RECONCILE_EN.search(said):
        return StartFlow(RECONCILE, {"book_words": said[:60]})
    return None


def day_of(words: str, today: date) -> date:
    """Which day is to be compared: the one that is named, else yesterday."""
    return auditing.asked_about(words, today).day or today - timedelta(days=1)
