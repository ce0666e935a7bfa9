"""Amounts read the way people say them, over the whole range, or asked back: never a fen wrong."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.money import Money
from nlu.asking import Ask
from nlu.numbers import ALL, Found, find_amount, parse_amount
from nlu.numerals import spoken_english

DIGITS = "零一二三四五六七八九"
LARGEST = 999_999


def chinese_ways(fen: int) -> Iterator[str]:
    """The ways a household says an amount in Chinese."""
    yuan, rest = divmod(fen, 100)
    mao, last = divmod(rest, 10)
    formal = cn2an.an2cn(yuan) + "元" if yuan else ""
    formal += DIGITS[mao] + "角" if mao else ""
    formal += ("零" if yuan and not mao else "") + DIGITS[last] + "分" if last else ""
    spoken = formal.replace("元", "块").replace("角", "毛")
    yield formal
    yield spoken
    yield spoken.replace("二百", "两百").replace("二千", "两千").replace("二块", "两块")
    if rest and yuan:
        yield spoken[:-1]  # 九块三, 两块四毛七, 九块零三
    if not rest:
        yield formal[:-1]
        yield spoken + "钱"
        yield f"{yuan}块"
    yield f"{yuan}.{rest:02d}"
    yield f"{yuan:,}.{rest:02d}元"
    yield f"¥{yuan}.{rest:02d}"
    yield f"充{spoken}吧"
    yield str(cn2an.an2cn(f"{yuan}.{rest:02d}")) + "元" if rest else f"{formal}整"


def chinese_sentences(fen: int) -> Iterator[str]:
    """Amounts inside a wish."""
    spoken = next(iter(list(chinese_ways(fen))[1:2]))
    yield f"给电表充{spoken}"
    yield f"我妈的水费先付{fen // 100}.{fen % 100:02d}元"
    yield f"不是一块,是{spoken}"


def english_ways(fen: int) -> Iterator[str]:
    """The ways an English speaker says the same amount."""
    yuan, rest = divmod(fen, 100)
    mao, last = divmod(rest, 10)
    words = spoken_english(yuan)
    yield f"{yuan}.{rest:02d}"
    yield f"¥{yuan:,}.{rest:02d}"
    yield f"{yuan}.{rest:02d} yuan"
    if not rest:
        yield f"{words} yuan"
        yield f"{words} kuai please"
        yield words
    else:
        yield f"{words} point {spoken_english(mao)} {spoken_english(last)} yuan"
        yield f"{words} yuan and {spoken_english(rest)} fen"
        yield f"{words} yuan {spoken_english(rest)}"  # asks below ten fen: five may be fifty
    if mao and last:
        yield f"{words} yuan {spoken_english(mao)} jiao {spoken_english(last)} fen"


def wrong_readings(fen: int) -> list[str]:
    """The ways in which this amount is read as another one. Empty is the promise."""
    wrong = []
    for said, locale in [(said, "zh") for said in chinese_ways(fen)] + [
        (said, "en") for said in english_ways(fen)
    ]:
        heard = parse_amount(said, locale)
        if heard != Money(fen) and not isinstance(heard, Ask):
            wrong.append(f"{said} → {heard}")
    for said in chinese_sentences(fen):
        found = find_amount(said)
        if not isinstance(found, Ask) and found.amount != Money(fen):
            wrong.append(f"{said} → {found}")
    return wrong


@given(st.integers(min_value=1, max_value=LARGEST))
def test_an_amount_said_in_any_way_is_never_read_as_another(fen: int) -> None:
    assert wrong_readings(fen) == []


@pytest.mark.parametrize("start", [1, 4, 10, 90])
def test_a_coarse_walk_over_all_amounts_reads_every_one_right(start: int) -> None:
    assert [wrong for fen in range(start, LARGEST + 1, 977) for wrong in wrong_readings(fen)] == []


def wrong_in(part: range) -> list[str]:
    return [wrong for fen in part for wrong in wrong_readings(fen)]


@pytest.mark.prove
@pytest.mark.timeout(3500)
def test_every_amount_to_9999_99_reads_right() -> None:
    parts = [range(start, min(start + 20_000, LARGEST + 1)) for start in range(1, LARGEST + 1, 20_000)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        assert [wrong for found in workers.map(wrong_in, parts) for wrong in found] == []


@given(st.integers(min_value=1, max_value=LARGEST))
def test_the_plain_ways_are_understood_and_not_merely_asked(fen: int) -> None:
    for said in list(chinese_ways(fen))[:4]:
        assert parse_amount(said) == Money(fen), said
    assert parse_amount(f"{fen // 100}.{fen % 100:02d}", "en") == Money(fen)


@pytest.mark.parametrize(
    ("said", "fen"),
    [
        # 1: 分 after 块零
        ("九块零三", 903), ("九块三", 930), ("一块零八分", 108), ("两块四毛七", 247), ("十块零五毛", 1050),
        # 2: last unit left out
        ("一百二", 12_000), ("一百零二", 10_200), ("一千二", 120_000), ("一万二", 1_200_000), ("二百五", 25_000),
        # 8: slang and old numerals
        ("廿五块", 2_500), ("卅块钱", 3_000), ("壹佰伍拾元整", 15_000), ("一百十五", 11_500),
        # 12: mixed, full-width, separators
        ("１００", 10_000), ("￥1,204.5", 120_450), ("12块5", 1_250), ("3百块", 30_000), ("50rmb", 5_000), ("二十块", 2_000),
        ("四毛", 40), ("一毛五", 15), ("五分钱", 5), ("三点五块", 350), ("那就二十吧", 2_000), ("嗯,五十块钱,谢谢", 5_000),
    ],
)  # fmt: skip
def test_one_certain_answer_is_read(said: str, fen: int) -> None:
    assert parse_amount(said) == Money(fen)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        # 7: approximate
        ("一百多", "approximate"), ("一百来块", "approximate"), ("百把块", "approximate"), ("几十块", "approximate"),
        ("大概七十块", "approximate"), ("七十左右", "approximate"), ("两三百", "approximate"), ("七八十块", "approximate"),
        ("十几块", "approximate"), ("随便充一点", "approximate"), ("最多五十", "approximate"),
        # 1, 4: reads two ways
        ("九块三分", "ambiguous"), ("三零五", "ambiguous"), ("一百零", "ambiguous"), ("一千五十", "ambiguous"), ("1万2", "ambiguous"),
        ("十块钱两个人", "ambiguous"), ("0", "ambiguous"), ("零元", "ambiguous"), ("123.456", "ambiguous"), ("500000000", "ambiguous"),
        # 5: two amounts
        ("六十不对七十", "several"), ("五十,还是六十", "several"),
        ("不知道", "none"), ("", "none"), ("充多少", "none"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_asked_back(said: str, reason: str) -> None:
    assert parse_amount(said) == Ask(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("给电表充一百块钱", Found(Money(10_000))), ("先付二十", Found(Money(2_000))), ("充一百电费", Found(Money(10_000))),
        ("电费也充50", Found(Money(5_000))), ("交电费充一百五", Found(Money(15_000))), ("充50块,谢谢", Found(Money(5_000))),
        ("不是二十,是三十", Found(Money(3_000), corrected=True)), ("不对,三十", Found(Money(3_000), corrected=True)),
        ("改成三十五块五", Found(Money(3_550), corrected=True)), ("不要二十,要三十", Found(Money(3_000), corrected=True)),
        ("算了全付", Found(ALL)), ("都付了吧", Found(ALL)), ("全部交清", Found(ALL)), ("全额", Found(ALL)),
        # 11: counts and other numbers are no amounts
        ("交一次电费", Ask("none")), ("交三个月电费", Ask("none")), ("查301室的水费", Ask("none")), ("等十分钟", Ask("none")),
        ("交电费 3100456721", Ask("none")), ("水电一块交", Ask("none")), ("帮我交一下电费", Ask("none")), ("不是二十", Ask("none")),
        # 5, 10: of two amounts neither is chosen
        ("我交一百块,不对,两百", Ask("several")), ("电费五十块水费三十块", Ask("several")),
        ("别充一百", Ask("ambiguous")), ("低于20块就自动充100", Ask("approximate")), ("九块三个月", Ask("ambiguous")),
        ("充一百来块", Ask("approximate")), ("充一百多块钱", Ask("approximate")), ("充个百把块", Ask("approximate")),
    ],
)  # fmt: skip
def test_the_amount_inside_a_sentence(said: str, found: Found | Ask) -> None:
    assert find_amount(said) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("top up 50", Found(Money(5_000))), ("put a hundred yuan on the meter", Found(Money(10_000))),
        ("pay 20 first", Found(Money(2_000))), ("not twenty but thirty", Found(Money(3_000), corrected=True)),
        ("no, make it 30", Found(Money(3_000), corrected=True)), ("not 20, it's 30", Found(Money(3_000), corrected=True)),
        ("pay it all", Found(ALL)), ("the full amount please", Found(ALL)), ("pay 2 bills", Ask("none")),
        ("pay electricity 3100456721", Ask("none")), ("pay 301 main street", Ask("none")), ("20 yuan or 30 yuan", Ask("several")),
        ("don't add 50 yuan", Ask("ambiguous")), ("top up about 50", Ask("none")), ("about 50 yuan", Ask("approximate")),
    ],
)  # fmt: skip
def test_the_amount_inside_an_english_sentence(said: str, found: Found | Ask) -> None:
    assert find_amount(said, "en") == found


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("twelve hundred", Money(120_000)), ("a hundred and five", Money(10_500)), ("twenty yuan fifty", Money(2_050)),
        ("one twenty", Ask("ambiguous")), ("two fifty", Ask("ambiguous")), ("twenty yuan five", Ask("ambiguous")),
        ("fifty-ish", Ask("approximate")), ("a few hundred", Ask("approximate")), ("20 dollars", Ask("ambiguous")),
        ("10k", Ask("ambiguous")), ("no idea", Ask("none")),
    ],
)  # fmt: skip
def test_english_amounts_are_certain_or_asked(said: str, heard: Money | Ask) -> None:
    assert parse_amount(said, "en") == heard


@given(st.text(max_size=60))
def test_any_text_gives_an_amount_or_a_question_and_never_an_error(text: str) -> None:
    for locale in ("zh", "en"):
        heard = parse_amount(text, locale)
        assert isinstance(heard, Ask) or heard.fen > 0
        assert isinstance(find_amount(text, locale), Found | Ask)
