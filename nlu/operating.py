"""状态, 现在能付款吗, 恢复了吗: questions about whether paying works at all, as short as people ask them."""

from __future__ import annotations

import re

from nlu.commands import StartFlow

STATUS = "service_status"
SAID_PLAINLY = frozenset({STATUS})

_STATUS_ZH = re.compile(
    "^(?:查|看|问)?(?:一下|下)?(?:现在|目前|今天)?(?:的)?(?:系统|收款|付款|服务|运行)?(?:的)?(?:状态|情况)(?:怎么样|如何|正常吗)?$|"
    "^(?:现在|今天|那边|系统|收款|付款|支付|缴费|交费)*(?:都)?(?:恢复|修好|正常|通)(?:了)?(?:吗|没有|没|伐|不)$|"
    "^(?:现在|今天)?(?:能不能|可不可以|能|可以)(?:付款|交费|缴费|付钱|支付)(?:了)?(?:吗|没有|没|伐)?$"
)
_STATUS_EN = re.compile(
    r"^(?:the |system |service |payment )*status(?: please| now)?$|"
    r"^(?:are|is) (?:the )?(?:payments?|payment service|service|system|it) (?:working|back|up|running|ok|fine)(?: again| now)*$|"
    r"^can (?:i|we|one) pay(?: again| now)+$"
)
_END = re.compile(r"[?!。.,，？！ ]+$")


def asked(text: str, locale: str) -> StartFlow | None:
    """The question a folded text surely is; None when it is something else."""
    plain = _END.sub("", text)
    if locale != "en":
        plain = plain.replace(" ", "")
    return StartFlow(STATUS) if (_STATUS_EN if locale == "en" else _STATUS_ZH).search(plain) else None
