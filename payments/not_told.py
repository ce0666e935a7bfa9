"""A notice that could not be brought to somebody: his next road, then whoever stands next on the ladder, and a person of ours."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.ids import PersonId
from data.model import masked_name
from data.store import letters
from data.store.engine import Tx
from data.store.letters import Letter, News
from data.store.post import events, outbox
from payments import warnings
from payments.authority import people, wishes
from payments.authority.wishes import Group

TICKET = "could_not_tell"
TRIED = "tried"  # the roads a piece of news went already
# Money that did not do what its owner thinks it did: also of these nobody is left in the dark.
_OF_MONEY = frozenset({"refused", "stopped", "needs_human", "refunding", "refunded"})


def must_be_told(news: News) -> bool:
    """Whether it may never simply be lost."""
    return news.kind in _OF_MONEY or wishes.group_of(news.kind, news.body, news.person) is Group.TROUBLE


def lost(tx: Tx, letter: Letter, roads: Collection[str], at: datetime) -> str | None:
    """It will not arrive on its road. Gives the next road it goes by; None: there is none, and a person looks where it matters.

    `roads` are the channels this house has. What was said in a talk has no other road: the talk is there and nowhere else.
    """
    news = letters.news_told_by(tx, letter)
    if news is None:
        return None
    tried = [*news.body.get(TRIED, ()), letter.channel]
    following = next((r for r in wishes.roads(tx, news.person) if r in roads and r not in tried), None)
    if following is not None:
        # Through the door once more, so that it is said as that road needs it, and only if it is still so.
        body = {**news.body, "on_channel": following, TRIED: tried}
        # By the news and not by the letter: what was said of it in two letters is told there once.
        first = news.id.removeprefix(f"{letter.channel}:") if TRIED in news.body else news.id
        letters.put_news(tx, id=f"{following}:{first}", person=news.person, kind=news.kind, body=body, at=at)
        return following
    if must_be_told(news):
        _somebody_looks(tx, news, tried, at)
    return None


def _somebody_looks(tx: Tx, news: News, tried: list[str], at: datetime) -> None:
    if warning := news.body.get("warning"):
        warnings.unheard(tx, str(warning), news.person, at)
    known = people.find(tx, news.person)
    who = masked_name(known.name) if known else news.person
    letters.open_ticket(
        tx,
        kind=TICKET,
        person=news.person,
        reason=news.kind,
        summary=f"{who}: {news.kind} ({', '.join(tried)})",
        at=at,
    )


_WAITING = ("queued", "leased")


# --- for whoever looks after the house ---------------------------------------------------------------------------------


def undelivered(
    tx: Tx, person: PersonId | None = None, since: datetime | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Letters that did not arrive, or wait for another try, the newest first: whose, about what, where, and since when.

    Of those that did not arrive only what was written `since` then, so that an old failure hides no new one; what waits is
    always there. Names are masked and nothing of the letter's words is shown.
    """
    lost: sa.ColumnElement[bool] = outbox.c.state.in_(["failed", "given_up"])
    if since is not None:
        lost = sa.and_(lost, outbox.c.created_at >= since)
    late = sa.and_(outbox.c.state.in_(_WAITING), outbox.c.tries > 0)
    query = sa.select(outbox).where(sa.or_(lost, late)).order_by(outbox.c.seq.desc()).limit(limit)
    if person is not None:
        query = query.where(outbox.c.person == person)
    return [_row(tx, row) for row in tx.conn.execute(query)]


def _row(tx: Tx, row: Any) -> dict[str, Any]:
    channel, _, about = row.cause.partition(":")
    told = (
        tx.conn.scalar(sa.select(events.c.kind).where(events.c.id == about))
        if channel == letters.NEWS
        else None
    )
    known = people.find(tx, row.person)
    return {
        "letter": row.id,
        "person": row.person,
        "name": masked_name(known.name) if known else None,
        "about": told or "talk",
        "channel": row.channel,
        "state": "parked" if row.state in _WAITING else row.state,
        "tries": row.tries,
        "since": row.created_at.isoformat(timespec="seconds"),
        "again_at": row.not_before.isoformat(timespec="seconds")
        if row.not_before and row.state in _WAITING
        else None,
    }
