"""The road through a terminal: what is said is printed, amounts on a line of their own, choices by number."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from bot.channels import Delivery
from data.ids import PersonId
from dialogues.model import Button, Said


class ConsoleChannel:
    """One person's talk in one terminal. Messages of others stay in their outbox."""

    name = "console"

    def __init__(self, person: PersonId, out: Console) -> None:
        self._person = person
        self._out = out
        self.choices: tuple[Button, ...] = ()

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Prints a message of this person's talk."""
        if person != self._person:
            return Delivery.LATER
        speaker = "帮缴" if said.speaker == "bot" else said.speaker
        self._out.print(Text(f"\n{speaker}", style="bold cyan"))
        for line in said.text.split("\n"):
            self._out.print(Text(f"  {line}", style="bold" if said.large else ""))
        if said.link:
            self._out.print(Text(f"  {said.link}", style="underline"))
        self.choices = said.buttons
        for n, button in enumerate(said.buttons, start=1):
            self._out.print(Text(f"  [{n}] {button.title}", style="green"))
        return Delivery.SHOWN


class PhoneChannel:
    """The person's other phone, shown in the same terminal because the demo has only one screen."""

    name = "sms"

    def __init__(self, person: PersonId, out: Console) -> None:
        self._person = person
        self._out = out

    async def send(self, person: PersonId, said: Said) -> Delivery:
        """Prints a message to the other phone."""
        if person != self._person:
            return Delivery.LATER
        self._out.print(Text(f"\n  (另一部手机 / other phone)  {said.text}", style="yellow"))
        return Delivery.SHOWN
