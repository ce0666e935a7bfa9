"""What the program writes about itself: events by name, never words of a talk, numbers of accounts, codes or PINs."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_LONG_NUMBER = re.compile(r"\d(?:[\s-]?\d){5,}")
_NEVER = frozenset(
    {"text", "pin", "code", "digits", "number", "token", "secret", "password", "body", "arguments"}
)


def mask(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last door before a log line is written: a slip elsewhere does not become a leak."""
    for key, value in entry.items():
        if key in _NEVER:
            entry[key] = "***"
        elif isinstance(value, str) and key not in ("timestamp",):
            entry[key] = _LONG_NUMBER.sub(_tail, value)
    return entry


def _tail(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return "***" if len(digits) < 8 else f"***{digits[-4:]}"


def set_up(level: str = "INFO") -> None:
    """JSON lines on standard error, ours and those of the libraries, all through the mask."""
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic", "uvicorn.access", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
