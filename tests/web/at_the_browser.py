"""A person at a real browser: chooses, writes, presses, reads; by mouse, by keyboard, with scripts or without."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = [
    "wcag2a",
    "wcag2aa",
    "wcag2aaa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
]
TELEPHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1400, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}


class ChromiumMissing(AssertionError):
    """The browser tests cannot run here."""


def chromium_path(which: Callable[[str], str | None] = shutil.which) -> str:
    """The browser of this machine; without one the tests fail, because a skipped promise is no promise."""
    path = which("chromium") or which("chromium-browser")
    if path is None:
        raise ChromiumMissing(
            "Chromium is not installed: install the Debian package `chromium` (apt-get install chromium)."
        )
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """Somebody with the mouse or a finger."""

    def __init__(self, page: Page, address: str, scripts: bool = True) -> None:
        self.page = page
        self.address = address
        self.scripts = scripts

    # --- doing ---

    def opens(self, path: str = "/") -> None:
        self.page.goto(self.address + path)

    def chooses(self, name: str) -> None:
        self.opens("/")
        self.picks(name)
        self.page.locator("#say").wait_for()

    def picks(self, name: str) -> None:
        """Presses the card with this name; captions may name relatives."""
        self.page.locator("button.card", has=self.page.get_by_text(name, exact=True)).click()

    def presses(self, title: str) -> None:
        self.page.get_by_role("button", name=title, exact=True).last.click()

    def answers(self, title: str) -> None:
        """Presses one of the bot's answer buttons."""
        before = self.last_of_me()
        self.page.locator(".answers").get_by_role("button", name=title, exact=True).click()
        self.waits_until(lambda: self.last_of_me() != before, f"pressing {title} was not taken")

    def says(self, text: str) -> None:
        before = self.last_of_me()
        self.page.locator("#say").fill(text)
        self.sends()
        self.waits_until(lambda: self.last_of_me() != before, "what was written was not taken")

    def sends(self) -> None:
        self.page.locator("form.say button").click()

    # --- reading ---

    def turns(self) -> list[tuple[str, str, str]]:
        """(id, side, words) of everything on the page."""
        found = self.page.locator("li.turn").evaluate_all(
            "turns => turns.map(t => [t.id, t.classList[1], t.querySelector('.words').innerText])"
        )
        return [(turn, side, words) for turn, side, words in found]

    def last_of_me(self) -> str:
        return next((turn for turn, side, _ in reversed(self.turns()) if side == "me"), "")

    def answer(self) -> str:
        """Everything said since this person's last words."""
        words: list[str] = []
        for _, side, text in reversed(self.turns()):
            if side == "me":
                break
            words.insert(0, text)
        return "\n".join(words)

    def hears(self, pattern: str, seconds: float = 60.0) -> str:
        """Waits until the answer holds `pattern`; without scripts the person looks for news now and then."""
        self.waits_until(
            lambda: bool(re.search(pattern, self.answer())), f"never heard {pattern}", seconds, self._looks
        )
        return self.answer()

    def code_on_phone(self) -> str:
        """The newest code on the other phone."""
        shown = self.page.locator(".phone strong.code")
        self.waits_until(lambda: shown.count() > 0, "no code came", look=self._looks)
        return re.sub(r"\D", "", shown.first.inner_text())

    def _looks(self) -> None:
        if not self.scripts:
            self.presses("看看有没有新消息")

    def waits_until(
        self,
        true: Callable[[], bool],
        otherwise: str,
        seconds: float = 60.0,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        # The limit only ends a test that would never end; nothing is measured by it.
        limit = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < limit, (
                f"{otherwise}; the page says:\n{self.page.locator('body').inner_text()}"
            )
            self.page.wait_for_timeout(50)
            look()


FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height, innerHeight) / 2);
  return {
    name: e === document.body ? '' : (e.getAttribute('aria-label') || e.innerText || '').trim(),
    outline: parseFloat(style.outlineWidth) * (style.outlineStyle === 'none' ? 0 : 1),
    seen: e === at || e.contains(at),
    id: e.id,
  };
}"""


class KeyboardPerson(Person):
    """Somebody who has no mouse. Whatever the keyboard reaches must be seen to have it."""

    def presses(self, title: str) -> None:
        self._reaches(lambda now: now["name"] == title, title)
        self.page.keyboard.press("Enter")

    def picks(self, name: str) -> None:
        self._reaches(lambda now: str(now["name"]).split("\n")[0] == name, name)
        self.page.keyboard.press("Enter")

    def answers(self, title: str) -> None:
        before = self.last_of_me()
        self.presses(title)
        self.waits_until(lambda: self.last_of_me() != before, f"pressing {title} was not taken")

    def says(self, text: str) -> None:
        before = self.last_of_me()
        self._reaches(lambda now: now["id"] == "say", "the field")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")
        self.waits_until(lambda: self.last_of_me() != before, "what was written was not taken")
        # The news may show one's words before the field's own answer is there: who types on then, types behind them.
        self.waits_until(lambda: self._field() == "", "the field was not emptied")

    def _field(self) -> str:
        return self.page.locator("#say").input_value()

    def _reaches(self, wanted: Callable[[dict[str, object]], bool], what: str) -> None:
        for _ in range(120):
            now = self.page.evaluate(FOCUSED)
            if wanted(now):
                return
            self.page.keyboard.press("Tab")
            self._is_seen()
        raise AssertionError(f"the keyboard never reached {what}")

    def _is_seen(self) -> None:
        """Scrolling and drawing may take a moment; a focus that never shows fails."""
        now: dict[str, Any] = {}

        def shows() -> bool:
            now.update(self.page.evaluate(FOCUSED))
            nowhere = not now["name"] and not now["id"]
            return nowhere or (float(now["outline"]) >= 3 and bool(now["seen"]))

        try:
            self.waits_until(shows, "the focus cannot be seen")
        except AssertionError as never:
            raise AssertionError(f"no visible focus, or something covers it: {now}") from never


# --- what must hold of every page ---


def problems(page: Page) -> list[str]:
    """What axe finds, with A, AA, AAA and best-practice rules."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert found.response["passes"], "axe looked at nothing"
    return [
        f"{rule['id']} ({rule['impact']}): {[node['target'] for node in rule['nodes']]}"
        for rule in found.response["violations"]
    ]


SMALL = """() => [...document.querySelectorAll('button, a, input:not([type=hidden]), summary, select')]
  .filter(e => e.checkVisibility() && !e.matches('.skip:not(:focus)'))
  .map(e => [e.innerText || e.id || e.name, e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 59.5 || box.height < 59.5)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""


def small_targets(page: Page) -> list[str]:
    """Things to press that are smaller than 60 x 60 CSS pixels."""
    return list(page.evaluate(SMALL))


LETTERS = """() => {
  const sizes = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const owner = node.parentElement;
    if (node.data.trim() && owner.checkVisibility()) sizes.push([parseFloat(getComputedStyle(owner).fontSize), node.data.trim()]);
  }
  return sizes;
}"""


def letters(page: Page) -> list[tuple[float, str]]:
    """(size in pixels, text) of everything that can be read."""
    return [(size, text) for size, text in page.evaluate(LETTERS)]


def sideways(page: Page) -> int:
    """By how many pixels one would have to scroll sideways."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def judge(page: Page, state: str) -> None:
    """What must hold of every state: axe silent, everything pressable large, no sideways scrolling."""
    assert problems(page) == [], state
    assert small_targets(page) == [], state
    assert sideways(page) <= 0, state
