"""The pages in real Chromium: seen, pressed, typed at, read aloud, and without any script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize

from bot.web import create_pages
from data.clock import VirtualClock
from tests.web.app_process import ServedPages, served
from tests.web.at_the_browser import (
    DESK,
    NARROW,
    TELEPHONE,
    ChromiumMissing,
    KeyboardPerson,
    Person,
    chromium_path,
    judge,
    letters,
    sideways,
    small_targets,
)
from tests.web.conftest import SECRET
from tests.web.receipts import TRUE_CODE, known_receipt
from tests.web.scripted_town import CHENGFS, CHENM, PAY_PAGE, STAFF_PASSWORD, ScriptedStaff, ScriptedTalks
from tests.web.talks_in_a_browser import pay_mothers_electricity

pytestmark = pytest.mark.browser


@pytest.fixture
def pages(talks: ScriptedTalks, staff: ScriptedStaff, clock: VirtualClock) -> Iterator[ServedPages]:
    app = create_pages(talks, staff, secret=SECRET, demo=True, clock=clock, receipts=known_receipt)
    with served(app) as pages:
        yield pages


@pytest.fixture
def page(browser: Browser, pages: ServedPages) -> Iterator[Page]:
    """A Chinese browser of the size of a telephone; whatever the console complains of fails the test."""
    context = browser.new_context(viewport=TELEPHONE, locale="zh-CN", reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    expected = "the server responded with a status of"  # the browser's own line for a 4xx we meant to give
    assert [complaint for complaint in complaints if expected not in complaint] == []


@pytest.fixture
def person(page: Page, pages: ServedPages) -> Person:
    return Person(page, pages.address)


# --- whole talks ---


def test_a_payment_by_talking_every_state_of_it_fit_for_everybody(person: Person) -> None:
    def watch(state: str) -> None:
        judge(person.page, state)
        person.page.set_viewport_size(NARROW)
        assert sideways(person.page) <= 0, f"{state}, 320 px wide"
        person.page.set_viewport_size(TELEPHONE)

    pay_mothers_electricity(person, watch)


def test_a_payment_with_the_keyboard_alone(page: Page, pages: ServedPages) -> None:
    pay_mothers_electricity(KeyboardPerson(page, pages.address))


def test_a_payment_without_scripts(browser: Browser, pages: ServedPages) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=TELEPHONE, locale="zh-CN")
    pay_mothers_electricity(Person(context.new_page(), pages.address, scripts=False))
    context.close()


def test_a_payment_by_pressing_the_answers(person: Person) -> None:
    person.chooses("陈明")
    person.presses("交电费")
    person.hears("户号")
    person.says("0319001200345678")
    person.hears("张")
    person.answers("是")
    person.hears(r"123\.45")
    person.answers("付")
    person.says(person.code_on_phone())
    person.hears("已扣")


# --- every other state is fit for everybody ---


@pytest.mark.parametrize("size", [TELEPHONE, DESK], ids=["telephone", "desk"])
def test_states_of_the_talk_page(
    person: Person, pages: ServedPages, talks: ScriptedTalks, size: ViewportSize
) -> None:
    page = person.page
    page.set_viewport_size(size)
    person.chooses("陈明")
    page.locator(".settings summary").click()
    judge(page, "settings open")
    page.locator(".settings summary").click()
    page.locator("#keypad summary").click()
    judge(page, "keypad open")
    page.locator("#keypad summary").click()
    person.says("扫码")
    page.locator(".pay svg").wait_for()
    judge(page, "a payment link")
    page.locator("#say").fill("电" * 501)
    person.sends()
    page.get_by_role("alert").wait_for()
    judge(page, "too long")
    pages.do(talks.add, CHENM, "周慧", "您好,我是周慧。要付 46.50元,您看对吗?", "对", "不对")
    page.get_by_text("我是周慧").wait_for()
    judge(page, "a member of staff speaks")
    person.says("大一点")
    page.locator(".stage.size-largest").wait_for()
    judge(page, "larger letters")


def test_pages_in_english(browser: Browser, pages: ServedPages, talks: ScriptedTalks) -> None:
    context = browser.new_context(viewport=TELEPHONE, locale="en-GB")
    page = context.new_page()
    page.goto(pages.address)
    judge(page, "who are you, in English")
    Person(page, pages.address).picks("陈明")
    page.get_by_role("textbox", name="What would you like to do?").wait_for()
    pages.do(talks.add, CHENM, "bot", "The bill is\n123.45 yuan, due 25 March. Pay it?", "Pay", "Not now")
    page.get_by_role("button", name="Not now").wait_for()
    judge(page, "a question in English")
    assert page.locator("html").get_attribute("lang") == "en"
    context.close()


def test_a_grandchild_checks_a_receipt(browser: Browser, pages: ServedPages) -> None:
    """Without scripts, on a narrow telephone: true, and not known."""
    context = browser.new_context(java_script_enabled=False, viewport=NARROW, locale="zh-CN")
    page = context.new_page()
    page.goto(pages.address)
    page.get_by_role("link", name="查收据真假").click()
    for code, told in ((TRUE_CODE, "收据是真的"), ("2-7777-7777", "账本里没有")):
        page.get_by_label("收据上的查验码").fill(code)
        page.get_by_role("button", name="查一查").click()
        page.get_by_text(told).wait_for()
        assert sideways(page) <= 0, told
    context.close()
    seeing = browser.new_context(viewport=TELEPHONE, locale="en-GB", reduced_motion="reduce").new_page()
    seeing.goto(f"{pages.address}/receipt?code={TRUE_CODE}")
    judge(seeing, "the form of a receipt's code")
    seeing.get_by_role("button", name="Check it").click()
    seeing.get_by_text("The receipt is true").wait_for()
    judge(seeing, "a receipt that is true")
    seeing.get_by_label("The code on the receipt").fill("nonsense")
    seeing.get_by_role("button", name="Check it").click()
    seeing.get_by_role("alert").wait_for()
    judge(seeing, "a receipt that is not known")
    seeing.context.close()


def test_pages_for_what_went_wrong(person: Person) -> None:
    person.opens("/no/such/page")
    judge(person.page, "not found")


def test_states_of_the_staff_desk(
    page: Page, pages: ServedPages, staff: ScriptedStaff, talks: ScriptedTalks
) -> None:
    person = Person(page, pages.address)
    person.opens("/staff")
    judge(page, "sign-in")
    page.get_by_label("名字").fill("周慧")
    page.get_by_label("密码").fill("wrong")
    person.presses("登录")
    page.get_by_role("alert").wait_for()
    judge(page, "wrong password")
    page.get_by_label("名字").fill("周慧")
    page.get_by_label("密码").fill(STAFF_PASSWORD)
    person.presses("登录")
    page.get_by_text("现在没有人在等").wait_for()
    judge(page, "nobody waits")
    pages.do(staff.somebody_waits)
    page.get_by_role("heading", name="程*生").wait_for()  # by itself
    judge(page, "somebody waits")
    page.get_by_role("link", name="打开对话").click()
    judge(page, "the mirrored talk")
    person.presses("接手")
    field = page.get_by_label("您要说的话")
    field.fill("我来帮您")
    judge(page, "taken over")
    pages.do(talks.add, CHENGFS, "me", "好的好的")
    page.get_by_text("好的好的").wait_for()
    assert field.input_value() == "我来帮您"  # news does not wipe what is being written
    field.press("Enter")
    page.locator("li.turn.staff").get_by_text("我来帮您").wait_for()
    assert field.input_value() == ""
    page.get_by_label("提出缴水费").check()
    person.presses("交还机器人")
    page.get_by_text("现在没有人在等").wait_for()
    assert staff.handed_back == [(CHENGFS, "acc_w")]


# --- letters ---


@pytest.mark.parametrize(("title", "pixels"), [("标准", 20), ("大字", 28), ("特大", 36)])
def test_letter_sizes(
    person: Person, talks: ScriptedTalks, pages: ServedPages, title: str, pixels: int
) -> None:
    person.opens("/")
    person.presses(title)
    person.page.get_by_role("button", name=title, pressed=True).wait_for()
    person.picks("陈明")
    person.says("交电费")
    person.hears("户号")
    words = person.page.locator("li.turn.bot .words p").last
    size, spacing = words.evaluate(
        "e => [parseFloat(getComputedStyle(e).fontSize), parseFloat(getComputedStyle(e).lineHeight)]"
    )
    assert size == pixels
    assert spacing >= 1.3 * size
    assert [(size, text) for size, text in letters(person.page) if size < pixels * 0.74] == []
    person.page.set_viewport_size(NARROW)
    assert sideways(person.page) <= 0
    assert small_targets(person.page) == []


def test_large_letters_are_the_default_and_the_amount_stands_alone(
    person: Person, pages: ServedPages, talks: ScriptedTalks
) -> None:
    person.chooses("陈明")
    pages.do(talks.add, CHENM, "bot", "张*芳家的电费 123.45元,3月25日前交。")
    amount = person.page.locator("strong.amount")
    amount.wait_for()
    box, around = amount.bounding_box(), person.page.locator("li.turn.bot .words p").bounding_box()
    assert box
    assert around
    assert box["width"] == pytest.approx(around["width"])  # nothing beside it
    sizes = {text: size for size, text in letters(person.page)}
    assert sizes["张*芳家的电费"] == 28
    assert sizes["123.45元,"] >= 36


# --- what scripts add ---


def test_news_come_by_themselves_and_disturb_nothing(
    person: Person, pages: ServedPages, talks: ScriptedTalks
) -> None:
    person.chooses("陈明")
    field = person.page.locator("#say")
    field.press_sequentially("我正在写")
    pages.do(talks.add, CHENM, "bot", "水费已销账。")
    person.page.get_by_text("水费已销账。").wait_for(timeout=3000)
    assert field.input_value() == "我正在写"
    assert person.page.evaluate("document.activeElement.id") == "say"
    assert not person.page.get_by_role("button", name="看看有没有新消息").is_visible()


def test_two_windows_of_one_person_show_the_same(person: Person, pages: ServedPages) -> None:
    person.chooses("陈明")
    other = person.page.context.new_page()
    other.goto(pages.address + "/talk")
    person.says("交电费")
    other.get_by_text("请告诉我户号").wait_for(timeout=5000)


def test_a_double_click_is_one_answer(person: Person, pages: ServedPages, talks: ScriptedTalks) -> None:
    person.chooses("陈明")
    pages.do(talks.add, CHENM, "bot", "要付吗?", "付")
    person.page.locator(".answers").get_by_role("button", name="付").dblclick()
    person.hears("没听明白")
    assert talks.heard == ["付"]


@pytest.mark.parametrize("way", ["pressed", "typed"])
def test_stop_overtakes_what_is_slow(person: Person, talks: ScriptedTalks, way: str) -> None:
    talks.slow = True
    person.chooses("陈明")
    person.page.locator("#say").fill("慢慢查电费")
    person.sends()
    if way == "pressed":
        person.presses("停")
    else:
        person.says("停")
    person.hears("都停下了")
    assert talks.heard == ["停"]
    talks.slow = False
    person.page.get_by_text("慢慢查电费").wait_for()


def test_sending_twice_in_impatience_counts_once(person: Person, talks: ScriptedTalks) -> None:
    talks.slow = True
    person.chooses("陈明")
    person.page.locator("#say").fill("慢慢查电费")
    for _ in range(3):
        person.page.locator("#say").press("Enter")
    person.page.wait_for_timeout(200)
    talks.slow = False
    person.hears("没听明白")
    person.page.wait_for_timeout(200)
    assert talks.heard == ["慢慢查电费"]


def test_an_old_answer_that_comes_late_takes_nothing_away(
    person: Person, pages: ServedPages, talks: ScriptedTalks
) -> None:
    page, late = person.page, []

    def hold(route: Route) -> None:
        """What the page reads for its news is on the way for as long as we like."""
        answer = route.fetch()
        late.append(lambda: route.fulfill(response=answer))

    with page.expect_response("**/talk/live"):  # the look that every stream begins with
        person.chooses("陈明")
    page.route("**/talk/live", hold)
    pages.do(talks.add, CHENM, "bot", "水费已销账。")
    person.waits_until(lambda: len(late) == 1, "nobody looked")
    person.says("交电费")
    person.hears("户号")
    late[0]()
    page.wait_for_timeout(300)
    assert [words for _, _, words in person.turns()][1:2] == ["交电费"]
    assert "户号" in person.answer()
    page.unroute_all(behavior="ignoreErrors")


def test_after_sending_the_field_is_empty_and_the_same_words_count_again(
    person: Person, talks: ScriptedTalks
) -> None:
    person.chooses("陈明")
    for _ in range(2):
        person.says("再说一遍")
        assert person.page.locator("#say").input_value() == ""
    assert talks.heard == ["再说一遍"] * 2


@pytest.mark.parametrize("length", [501, 5_000, 100_000])
def test_what_was_refused_is_not_lost(person: Person, length: int) -> None:
    person.chooses("陈明")
    person.page.locator("#say").fill("电" * length)
    person.sends()
    person.page.get_by_role("alert").wait_for()
    assert person.page.locator("#say").input_value() == "电" * length


@pytest.mark.parametrize(("length", "kept"), [(5_000, True), (100_000, False)])
def test_what_was_refused_leads_back_without_scripts(
    browser: Browser, pages: ServedPages, length: int, kept: bool
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=TELEPHONE, locale="zh-CN")
    person = Person(context.new_page(), pages.address, scripts=False)
    person.chooses("陈明")
    person.page.locator("#say").fill("电" * length)
    person.sends()
    if kept:
        assert person.page.locator("#say").input_value() == "电" * length
    else:
        assert "太大了" in person.page.locator("main").inner_text()
        judge_without_scripts(person.page)
        person.page.get_by_role("link", name="回到对话").click()
    assert person.page.locator("#say").is_visible()
    context.close()


def test_the_newest_words_come_into_sight(person: Person, talks: ScriptedTalks, pages: ServedPages) -> None:
    for number in range(15):
        talks.add(CHENM, "bot", f"第{number}句话,说得长一点,好让页面比屏幕高。")
    person.chooses("陈明")
    newest = person.page.get_by_text("请告诉我户号")
    person.says("交电费")
    newest.wait_for()
    person.page.wait_for_timeout(200)
    box, dock = newest.bounding_box(), person.page.locator(".dock").bounding_box()
    assert box
    assert dock
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= dock["y"]


def test_a_code_on_the_other_phone_comes_into_sight(person: Person) -> None:
    person.chooses("陈明")
    for words in ("交电费", "0319001200345678", "对"):
        person.says(words)
    person.hears(r"123\.45")
    person.says("付")
    code = person.page.locator(".phone strong.code")
    code.wait_for()
    person.page.wait_for_timeout(200)
    box, dock = code.bounding_box(), person.page.locator(".dock").bounding_box()
    assert box
    assert dock
    assert 0 <= box["y"] <= box["y"] + box["height"] <= dock["y"]


def test_the_keypad_collects_digits_at_once(person: Person, talks: ScriptedTalks) -> None:
    person.chooses("陈明")
    person.page.locator("#keypad summary").click()
    for key in ("1", "2", "7", "退格", "3"):
        person.presses(key)
    assert person.page.locator("#digits").input_value() == "123"
    person.presses("送出")
    person.hears("没听明白")
    assert talks.heard == ["123"]
    assert person.page.locator("#digits").input_value() == ""


SPEAKER = """
window.spoken = [];
Object.defineProperty(window, 'speechSynthesis', {value: {
  speak: words => window.spoken.push({text: words.text, lang: words.lang, rate: words.rate}),
  cancel: () => window.spoken.push('silence'),
}});
"""


def test_words_are_read_aloud_slowly_in_the_language_of_the_page(
    person: Person, pages: ServedPages, talks: ScriptedTalks
) -> None:
    person.page.add_init_script(SPEAKER)
    person.chooses("陈明")
    pages.do(talks.add, CHENM, "bot", "电费 123.45元,要付吗?", "付")
    person.presses("念给我听")
    said = person.page.evaluate("window.spoken")[-1]
    assert "123.45元" in said["text"]
    assert "念给我听" not in said["text"]
    assert (said["lang"], said["rate"] < 1) == ("zh-CN", True)
    person.presses("不念了")
    assert person.page.evaluate("window.spoken")[-1] == "silence"


def test_without_scripts_no_button_is_there_that_does_nothing(browser: Browser, pages: ServedPages) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=TELEPHONE, locale="zh-CN")
    person = Person(context.new_page(), pages.address, scripts=False)
    person.chooses("陈明")
    person.says("交电费")
    assert not person.page.locator(".speak").first.is_visible()
    assert person.page.get_by_role("button", name="看看有没有新消息").is_visible()
    person.page.locator("#keypad summary").click()
    for key in ("4", "5"):
        person.presses(key)
    assert person.page.locator("#digits").input_value() == "45"
    assert person.page.locator("#digits").is_visible()
    judge_without_scripts(person.page)
    context.close()


def judge_without_scripts(page: Page) -> None:
    assert small_targets(page) == []
    assert sideways(page) <= 0


def test_nothing_foreign_is_loaded(person: Person) -> None:
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.chooses("陈明")
    person.says("扫码")
    person.page.locator(".pay svg").wait_for()
    assert asked
    assert [url for url in asked if not url.startswith(person.address + "/")] == []


def test_the_payment_link_leads_to_the_payment_page(person: Person) -> None:
    person.chooses("陈明")
    person.says("扫码")
    link = person.page.get_by_role("link", name="打开付款页")
    assert link.get_attribute("href") == PAY_PAGE


def test_a_page_that_is_too_old_is_read_again(person: Person, talks: ScriptedTalks) -> None:
    with person.page.expect_response("**/talk/live"):  # the look that every stream begins with
        person.chooses("陈明")
    person.page.context.clear_cookies()
    person.page.locator("#say").fill("付")
    person.sends()
    person.page.get_by_role("heading", name="您是哪一位").wait_for()
    assert talks.heard == []


# --- the browser itself ---


def test_a_missing_browser_is_named_with_its_package() -> None:
    with pytest.raises(ChromiumMissing, match="Debian package `chromium`"):
        chromium_path(lambda name: None)
