"""What must hold of every talk of careless people, looked at after everything that happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from bot.playground import evidence
from bot.playground.enrolled import shipped_world
from data.events import InboundKind
from data.ids import PersonId
from data.money import Money
from data.store import letters
from data.store.engine import Tx
from data.store.payments import acts, payments
from dialogues import staffing, turn
from dialogues.model import Conversation
from dialogues.testing import invariants
from dialogues.testing.invariants import Turn, View
from dialogues.testing.moment import replies
from dialogues.testing.world import Movement, Sent, WorldFacts
from tests.dialogues.careless.doing import Doing
from tests.dialogues.careless.screen import Screen

_LOOK_BACK = 24  # messages that show whether somebody is talked at by a parrot
_LONGEST = {"telegram": 4096, "web": 4096, "console": 4096, "voice": 600}  # characters of one message
_ONCE_MORE = ("我再说一遍。\n", "Once more:\n", "I'll say it again.\n")
_EVERY = 25  # steps after which 人工 and 停 are tried anyhow


class Broken(AssertionError):
    """A law does not hold; the text holds what was broken and the whole talk."""


@dataclass
class Watch:
    """Compares what people were told and what moved with what they said."""

    doing: Doing
    turns: list[Turn] = field(default_factory=list)
    happened: set[str] = field(default_factory=set)  # what this talk got to, so that a tame one shows
    steps: int = 0
    failed: bool = False
    _payments: dict[str, Any] = field(default_factory=dict)
    # States from which the ways out were tried; talks may share it.
    tried: set[Any] = field(default_factory=set)
    _parrot: dict[PersonId, list[str]] = field(default_factory=dict)
    _truth: WorldFacts | None = None
    _moved: tuple[int, ...] = ()
    _served_by_staff: bool = False
    _talks: dict[PersonId, Conversation | None] = field(default_factory=dict)
    _yes: dict[PersonId, Sent | None] = field(default_factory=dict)

    def step(self, who: int, what: str, pick: int) -> None:
        """Somebody does something, and everything that must hold is looked at. Raises Broken."""
        screen = self.doing.screens[who % len(self.doing.screens)]
        self._served_by_staff = self._mode(screen) == "human"
        self.doing.act(who, what, pick)
        self.after(screen)

    # --- after each step ----------------------------------------------------------------------------------------

    def after(self, screen: Screen) -> None:
        """Everything that must hold now. Raises Broken."""
        self.steps += 1
        self.turns.append(Turn(screen.person, self.doing.house.now, 0))
        came, paid = self.doing.house.store.run_now(self._looked)
        self._write_down(came)
        self._payments |= {row.id: row for row in paid}
        for row in paid:
            self._paid_by_a_yes(row)
        self._used_up({row.confirmer for row in paid})
        for one in self.doing.screens:
            self._told(one, came[one.person])
        self._answered(screen, came[screen.person])
        self._no_parrot(screen, came[screen.person])
        if self.doing.house.log.wrong:
            self._broken("something of ours went wrong", *self.doing.house.log.wrong)
        self._never_taken_twice()
        self._a_way_out(screen)

    def _looked(self, tx: Tx) -> tuple[dict[PersonId, list[Sent]], list[Any]]:
        """What came to everybody, and the payments that were begun, in one look; how each talk stands is remembered."""
        self._talks = {s.person: staffing.peek(tx, s.person) for s in self.doing.screens}
        self._yes = {
            s.person: s.yes for s in self.doing.screens
        }  # before a new read-back asks for another one
        return {s.person: s.read(tx) for s in self.doing.screens}, self._new_payments(tx)

    def _write_down(self, came: dict[PersonId, list[Sent]]) -> None:
        for sent in (s for found in came.values() for s in found):
            asks = f" [{sent.asks}]" if sent.asks else ""
            self.doing.told.append(f"    -> {sent.person}[{sent.channel}]{asks} {sent.text!r}")

    def _broken(self, *what: str) -> None:
        self.failed = True
        raise Broken("\n".join((*what, "--- the talk:", *self.doing.told[-60:])))

    # --- money --------------------------------------------------------------------------------------------------

    def _paid_by_a_yes(self, row: Any) -> None:
        """A payment has an act whose confirmer said yes to a read-back with just this amount (L1, L5)."""
        self.happened.add("paid")
        amount, by = Money(row.amount_fen), PersonId(str((row.evidence or {}).get("by")))
        total = Money(sum(one.amount_fen for one in self._payments.values() if one.act == row.act))
        if row.act_state != "confirmed" or by != row.confirmer:
            self._broken(f"{row.id} was not confirmed by whom it waited for")
        read_back = self._yes.get(by)
        if read_back is None:
            self._broken(f"paid {amount} although {by} said yes to no open read-back")
        elif amount.yuan not in read_back.text and total.yuan not in read_back.text:
            self._broken(
                f"paid {amount} on a yes to: {read_back.text!r}"
            )  # several bills are read back in short by their total

    def _used_up(self, people: set[str]) -> None:
        """A yes is good for one act: the next one wants a yes of its own."""
        for screen in self.doing.screens:
            if screen.person in people and screen.yes is self._yes[screen.person]:
                screen.yes = None

    def _new_payments(self, tx: Tx) -> list[Any]:
        rows = tx.conn.execute(
            sa.select(
                payments.c.id,
                payments.c.number,
                payments.c.account,
                payments.c.amount_fen,
                payments.c.payer,
                payments.c.act,
                acts.c.state.label("act_state"),
                acts.c.confirmer,
                acts.c.evidence,
            ).join(acts, acts.c.id == payments.c.act)
        )
        return [row for row in rows if row.id not in self._payments]

    def _never_taken_twice(self) -> None:
        town = self.doing.house.town
        if twice := [number for number, n in Counter(n for n, _ in town.captures).items() if n > 1]:
            self._broken(f"taken twice: {twice}")
        if overpaid := [number for number, left in town.due.items() if left.fen < 0]:
            self._broken(f"written off more than was due: {overpaid}")

    # --- words --------------------------------------------------------------------------------------------------

    def _told(self, screen: Screen, came: list[Sent]) -> None:
        for sent in came:
            if not sent.text.strip():
                self._broken(f"{sent.person} was sent nothing: {sent.response}")
            if len(sent.text) > _LONGEST[sent.channel]:
                self._broken(f"{len(sent.text)} characters on {sent.channel}: {sent.response}")
            self._nothing_private(sent)
        if not came:
            return
        recent = screen.messages[-_LOOK_BACK:]
        view = View(self._facts(), recent, len(recent) - len(came), self.turns[-_LOOK_BACK:])
        found = [
            *(invariants.told_only_what_happened(view) or ()),
            *(invariants.never_three_times(view) or ()),
            *(invariants.easy_to_take_in(view) or ()),
        ]
        if found:
            self._broken(*found)

    def _nothing_private(self, sent: Sent) -> None:
        digits = "".join(c for c in sent.text if c.isdigit())
        for screen in self.doing.screens:
            if any(secret in digits for secret in screen.private) and sent.speaker == "bot":
                self._broken(f"{sent.person} was told something private: {sent.response}")

    def _answered(self, screen: Screen, came: list[Sent]) -> None:
        """Whoever says something is answered, unless a person of ours has the word; what comes a second time says nothing new."""
        if self.doing.delivered_again and came:
            self._broken(f"{screen.person} was answered a second time: {came[0].text!r}")
        if not self.doing.expects_answer:
            return
        if self._mode(screen) != "human":
            if not came:
                self._broken(f"{screen.person} was not answered")
            return
        last = screen.last
        spoke = [s for s in came if last and s.cause.endswith(f":{last.event_id}") and s.speaker == "bot"]
        if spoke and self._served_by_staff and not spoke[0].response.startswith("utter_stopped"):
            self._broken(
                f"the bot spoke to {screen.person}, who talks with a person of ours: {spoke[0].text!r}"
            )

    def _no_parrot(self, screen: Screen, came: list[Sent]) -> None:
        """Nothing understood three times in a row is not the same question three times (L10)."""
        if not self.doing.understood_nothing:
            self._parrot.pop(screen.person, None)
            return
        heard = self._parrot.setdefault(screen.person, [])
        heard += [_plainly(reply[-1].text) if reply[-1].asks else "" for reply in replies(came)]
        if len(heard) > 2 and heard[-1] and len(set(heard[-3:])) == 1:
            self._broken(f"{screen.person} was asked the same three times: {heard[-1]!r}")

    # --- a way out ----------------------------------------------------------------------------------------------

    def _a_way_out(self, screen: Screen) -> None:
        """From here 人工 would reach a person and 停 would end it, each in one turn: tried and taken back (L3)."""
        talk = self._talks.get(screen.person)
        at = tuple((f.flow, f.step, f.phase) for f in talk.stack) if talk else ()
        state = (screen.channel, self._mode(screen), at)
        if state in self.tried and self.steps % _EVERY:
            return
        for words, look in (("人工", self._reaches), ("停", self._ends)):
            kind = InboundKind.VOICE if screen.speaks else InboundKind.TEXT
            event = self.doing.event(screen, kind, text=words)
            if wrong := self.doing.house.tried(event, look):
                self._broken(f"{words} by {screen.person} at {state}: {wrong}")
        self.tried.add(state)

    def _reaches(self, tx: Tx, taken: turn.Taken) -> str:
        talk = staffing.peek(tx, taken.person)
        if talk is not None and talk.mode == "human":
            return "" if taken.silent else "the bot spoke while a person of ours has the word"
        if letters.open_ticket_of(tx, taken.person) is None:
            return "nobody was asked to come"
        return "" if taken.said else "no answer"

    def _ends(self, tx: Tx, taken: turn.Taken) -> str:
        talk = staffing.peek(tx, taken.person)
        if talk is None or talk.stack or talk.pending_wishes:
            return "something is left under way"
        if taken.calls or self._new_payments(tx):
            return "something was begun"
        return "" if taken.said else "no answer"

    def _mode(self, screen: Screen) -> str:
        talk = self._talks.get(screen.person)
        return talk.mode if talk else "bot"

    # --- the truth ----------------------------------------------------------------------------------------------

    def _facts(self) -> WorldFacts:
        """What rail and billers really did, asked anew when something moved there."""
        town = self.doing.house.town
        moved = (len(town.captures), len(town.posts), len(town.refunds), len(self._payments))
        if self._truth is None or moved != self._moved:
            self._moved = moved
            by_number = {row.number: row for row in self._payments.values()}
            self._truth = WorldFacts(
                now=self.doing.house.now,
                captures=[self._movement(by_number[n]) for n, _ in town.captures if n in by_number],
                posted=[self._movement(by_number[n]) for n in town.posts if n in by_number],
                refunds=[self._movement(by_number[n]) for n, _ in town.refunds.values() if n in by_number],
            )
        return self._truth

    def _movement(self, row: Any) -> Movement:
        return Movement(row.account, row.amount_fen, row.payer, self.doing.house.now, row.id)

    # --- at the end ---------------------------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """The promises of every talk and of the money rows, once nothing is under way any more."""
        house = self.doing.house
        house.mishaps = 0
        house.pass_time(timedelta(days=2))
        self.doing.expects_answer = self.doing.understood_nothing = False
        self.after(self.doing.screens[0])
        breaches = house.money.breaches(at_rest=True)
        broken, _ = invariants.check(View(house.store.run_now(self._everything), ()))
        if breaches or broken:
            self._broken(*breaches, *broken)
        self._nothing_kept()

    def _everything(self, tx: Tx) -> WorldFacts:
        town = self.doing.house.town
        at = {row.order: row.at for row in town.book if row.kind == "capture"}
        seen: Any = SimpleNamespace(
            captures=[SimpleNamespace(order=n, amount_fen=m.fen, at=at[n]) for n, m in town.captures],
            posts=[SimpleNamespace(order=n, state="settled") for n in town.posts],
            refunds=[SimpleNamespace(order=n, at=self.doing.house.now) for n, _ in town.refunds.values()],
            calls=[SimpleNamespace(side="rail", operation="charge", key=n) for n in town.orders],
        )
        house = self.doing.house.desk.house
        return evidence.facts(tx, shipped_world(), seen, self.doing.house.now, frozenset(), house)

    def _nothing_kept(self) -> None:
        """Nothing private stands in the log or in what staff may read of the talk (L8)."""
        mirrored = self.doing.house.store.run_now(
            lambda tx: [
                line.text for s in self.doing.screens for line in staffing.mirror(tx, s.person, 10_000)
            ]
        )
        numbers = {account.number for account in shipped_world().accounts.values()}
        pins = {s.pin for s in self.doing.screens}
        private = {secret for s in self.doing.screens for secret in s.private}
        for line in (*self.doing.house.log.lines, *mirrored):
            digits = "".join(c for c in line if c.isdigit())
            if any(secret in digits for secret in private | numbers):
                self._broken(f"something private was kept: {line}")
        for line in self.doing.house.log.lines:
            if any(pin in line for pin in pins):
                self._broken(f"a PIN was logged: {line}")


def _plainly(text: str) -> str:
    for begun in _ONCE_MORE:
        text = text.removeprefix(begun)
    return text
