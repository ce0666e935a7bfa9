"""What people call the bills, their relatives and their cities at home."""

from __future__ import annotations

import re
from functools import cache
from typing import TypeVar

from data.model import Utility
from nlu.pinyin import as_heard, sounds

_Kind = TypeVar("_Kind")

# Longest first at matching time. 火表 is Shanghai's electricity meter, 自来火 its gas, 闭路 the old word for cable television.
_UTILITIES_ZH: dict[Utility, tuple[str, ...]] = {
    Utility.ELECTRICITY: ("电费", "电表", "火表", "电卡", "用电", "交电", "缴电", "买电", "充电费", "电钱", "电力", "国网", "供电", "店费", "垫费", "电"),
    Utility.WATER: ("水费", "自来水", "水表", "用水", "交水", "缴水", "买水", "水钱", "水务", "水"),
    Utility.GAS: ("燃气费", "燃气", "煤气费", "煤气", "天然气", "自来火", "气费", "气表", "煤气卡", "燃气卡", "液化气", "气"),
    Utility.LANDLINE: ("固定电话费", "固定电话", "座机费", "座机", "电话费", "家里电话", "固话"),
    Utility.BROADBAND: ("宽带费", "宽带", "网费", "上网费", "光纤"),
    Utility.CABLE_TV: ("有线电视费", "有线电视", "闭路电视", "闭路", "电视费", "数字电视"),
    Utility.HEATING: ("供暖费", "取暖费", "暖气费", "采暖费", "供暖", "暖气", "供热"),
}  # fmt: skip
_UTILITIES_EN: dict[Utility, tuple[str, ...]] = {
    Utility.ELECTRICITY: ("electricity", "electric", "electrical", "power", "light bill", "electrcity", "electicity", "prepaid meter"),
    Utility.WATER: ("water",),
    Utility.GAS: ("gas",),
    Utility.LANDLINE: ("landline", "land line", "home phone", "fixed line", "telephone bill", "phone bill"),
    Utility.BROADBAND: ("broadband", "internet", "wifi", "wi-fi", "fibre", "fiber"),
    Utility.CABLE_TV: ("cable tv", "cable television", "cable", "tv bill", "television"),
    Utility.HEATING: ("heating", "central heat"),
}  # fmt: skip
# Words that hold a utility's character but mean something else.
_NOT_A_UTILITY = re.compile(
    "电话(?!费)|手机(?:[快都又]|快要|马上)?(?:没|有)?电(?!费)|手机|电脑|电梯|电动车|电瓶车|电视(?!费)|(?<!有线)(?<!闭路)(?<!数字)电视剧|电影|电池|电子|停电|断电|来电|充电(?!费)|水果|水平|水电工|水管|漏水|薪水|香水|矿泉水|热水|下水道|桶装水|天气|脾气|客气|生气|气死|空气|气象|一口气|力气|小气|语气|服气|气温|口气|运气|打气|淘气|"
    "power bank|gas station|petrol|water park|television set"
)
_TOGETHER = re.compile("水电(?:煤气?|燃气|天然气|气|煤)?|电水(?:煤|气)?|水煤电|水燃电|煤水电")
_TOGETHER_PARTS = {
    "水": Utility.WATER,
    "电": Utility.ELECTRICITY,
    "煤": Utility.GAS,
    "燃": Utility.GAS,
    "天": Utility.GAS,
}

_RELATIONS_ZH: dict[str, tuple[str, ...]] = {
    "parents": ("我爸妈", "俺爸妈", "咱爸妈", "我爸爸妈妈", "我妈我爸", "爸妈", "爸爸妈妈", "父母", "爹妈", "二老", "老两口", "我爸我妈", "老爸老妈", "爹娘", "我娘家", "娘家"),
    "mother_in_law": ("婆婆", "丈母娘", "岳母"),
    "father_in_law": ("公公", "老丈人", "岳父", "丈人"),
    "mother": ("妈妈", "老妈", "我妈", "俺妈", "咱妈", "母亲", "我娘", "俺娘", "姆妈", "老娘", "妈"),
    "father": ("爸爸", "老爸", "我爸", "俺爸", "咱爸", "父亲", "我爹", "阿爸", "老爹", "爸"),
    "spouse": ("老伴", "老头子", "老太婆", "老公", "老婆", "爱人", "我先生", "我太太", "媳妇", "对象"),
    "son": ("儿子", "我儿"),
    "daughter": ("女儿", "闺女", "囡囡", "囡儿"),
    "grandmother": ("奶奶", "外婆", "姥姥", "阿婆", "阿奶", "好婆"),
    "grandfather": ("爷爷", "外公", "姥爷", "阿公"),
    "sibling": ("哥哥", "姐姐", "弟弟", "妹妹", "我哥", "我姐", "我弟", "我妹"),
    "aunt_uncle": ("舅舅", "姑姑", "叔叔", "阿姨", "姨妈", "舅妈", "姑妈", "大伯", "婶婶"),
    "neighbour": ("邻居", "隔壁"),
    "self": ("我自己", "自己家", "我自个", "自己的"),
}  # fmt: skip
_RELATIONS_EN: dict[str, tuple[str, ...]] = {
    "mother_in_law": ("mother-in-law", "mother in law"),
    "father_in_law": ("father-in-law", "father in law"),
    "parents": ("parents", "folks", "mum and dad", "mom and dad"),
    "grandmother": ("grandmother", "grandma", "granny", "nan", "nana"),
    "grandfather": ("grandfather", "grandpa", "grandad", "granddad"),
    "mother": ("mother", "mum", "mom", "mam", "mummy", "mommy", "ma"),
    "father": ("father", "dad", "daddy", "pa"),
    "spouse": ("wife", "husband", "spouse", "partner"),
    "son": ("son",),
    "daughter": ("daughter",),
    "sibling": ("brother", "sister"),
    "aunt_uncle": ("aunt", "uncle", "auntie"),
    "neighbour": ("neighbour", "neighbor"),
    "self": ("myself", "my own"),
}  # fmt: skip
# 我爸和我妈, my dad and my mum: one household, and not his alone.
_FATHER_ZH, _MOTHER_ZH = "(?:我|俺|咱)?(?:老爸|爸爸|爸|父亲|爹)", "(?:我|俺|咱)?(?:老妈|妈妈|妈|母亲|娘)"
_BOTH_ZH = re.compile(
    f"(?:{_FATHER_ZH}(?:和|跟|同|与|、|还有){_MOTHER_ZH}|{_MOTHER_ZH}(?:和|跟|同|与|、|还有){_FATHER_ZH})"
)
_FATHER_EN, _MOTHER_EN = r"(?:my )?(?:dad|daddy|father)\b", r"(?:my )?(?:mum|mom|mam|mother)\b"
_BOTH_EN = re.compile(rf"\b(?:{_FATHER_EN} and {_MOTHER_EN}|{_MOTHER_EN} and {_FATHER_EN})(?![- ]in)")
_CITIES: dict[str, str] = {
    "beijing": "北京", "shanghai": "上海", "guangzhou": "广州", "shenzhen": "深圳", "tianjin": "天津", "chongqing": "重庆",
    "chengdu": "成都", "hangzhou": "杭州", "nanjing": "南京", "wuhan": "武汉", "xian": "西安", "suzhou": "苏州", "zhengzhou": "郑州",
    "changsha": "长沙", "qingdao": "青岛", "jinan": "济南", "shenyang": "沈阳", "dalian": "大连", "harbin": "哈尔滨", "changchun": "长春",
    "hefei": "合肥", "fuzhou": "福州", "xiamen": "厦门", "nanchang": "南昌", "kunming": "昆明", "guiyang": "贵阳", "nanning": "南宁",
    "haikou": "海口", "shijiazhuang": "石家庄", "taiyuan": "太原", "hohhot": "呼和浩特", "lanzhou": "兰州", "xining": "西宁",
    "yinchuan": "银川", "urumqi": "乌鲁木齐", "lhasa": "拉萨", "ningbo": "宁波", "wuxi": "无锡", "foshan": "佛山", "dongguan": "东莞",
    "wenzhou": "温州", "zhuhai": "珠海", "taizhou": "泰州", "fenbei": "汾北",
}  # fmt: skip

_PREFERENCES: dict[str, re.Pattern[str]] = {
    "english": re.compile(r"英文|英语|\benglish\b"),
    "chinese": re.compile(r"中文|汉语|普通话|\b(?:chinese|mandarin)\b"),
    "slower": re.compile(r"慢|\bslow(?:er|ly)?\b"),
    "smaller": re.compile(r"正常字|小一?点|字小|小字|\b(?:smaller|normal) (?:text|letters|print)\b"),
    "bigger": re.compile(r"大一?点|大字|放大|字大|\b(?:bigger|larger|large)\b"),
    "voice": re.compile(r"念给|读给|语音|\bread (?:it )?aloud\b|\bvoice\b"),
}

_SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范姚谭廖邹熊金陆郝孔崔康毛邱秦江史顾侯邵孟龙段雷钱汤尹黎常武贺赖龚倪施殷翁"
# 程老伯, 李大爷, 老程家: how one speaks of a neighbour. A title alone names nobody.
_TITLES = (
    "老先生|老太太|老爷子|老人家|老大爷|老大娘|老伯伯|老阿姨|老伯|大爷|大伯|伯伯|大妈|大娘|大姐|大哥|大叔|大婶|阿姨|阿婆|阿公|阿爹|爷叔|"
    "奶奶|爷爷|婆婆|外婆|外公|叔叔|婶婶|嬢嬢|孃孃|老师|师傅|医生|先生|女士|太太|老太|叔|婶|姨"
)
_TITLED_ZH = re.compile(
    rf"(?<![平经正非日时通对地双官多])(?P<family>[{_SURNAMES}])(?:{_TITLES})|"
    rf"老(?P<old>[{_SURNAMES}])(?=家|的|那[边儿里]|[水电煤燃气宽暖]|上个?月|这个?月|欠|$)"
)
# Family names as they are spelled in English talk.
FAMILY_NAMES_EN = (
    "wang|li|zhang|liu|chen|yang|huang|zhao|zhou|wu|xu|sun|zhu|ma|hu|guo|lin|luo|liang|song|zheng|xie|han|tang|feng|yu|dong|xiao|"
    "cheng|cao|yuan|deng|fu|shen|zeng|peng|lu|lv|su|jiang|cai|jia|ding|wei|xue|ye|yan|pan|du|dai|xia|zhong|tian|ren|fang|shi|yao|"
    "tan|liao|zou|xiong|jin|hao|kong|cui|kang|mao|qiu|qin|gu|hou|shao|meng|duan|lei|qian|yin|chang|lai|gong|ni|weng|gao|an|he"
)
_TITLED_EN = re.compile(
    r"\b(?:mr|mrs|ms|miss|old|uncle|aunt|auntie|granny|grandma|grandpa|grandad|granddad|teacher|madam)\.? (?P<family>"
    rf"{FAMILY_NAMES_EN})\b"
)
# Common beginnings of a sentence that only look like a name.
_NO_NAME = re.compile(
    "^(?:高(?:峰|压|价|档|层|温)|马上|方便|周末|周[一二三四五六日]|全部|安全|毛病|金额|余额|常用|任何|何时|江水|钱|于是|万一|孙子|孙女|汤|史上|龙头|田里|叶子|金卡|许多|武|雷|宋体|林|姜|马路|范围|段|康|顾客|施工|常|曾|余下|江|任|夏天|夏|秦|陆续)"
)
_NAME_AFTER_FOR = re.compile(
    rf"(?:帮|给|替|查一下|查下|查|看看|代)(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?:家里?的?|的|老伯|阿姨)?(?=交|缴|付|充|查|看|水|电|燃|煤|气|宽|取|供|把)"
)
_NAME_FIRST = re.compile(
    rf"^(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?:家里?的?|的)?(?=水费|电费|燃气|煤气|气费|宽带|取暖|供暖)"
)


@cache
def _utilities_pattern(locale: str) -> tuple[re.Pattern[str], dict[str, Utility]]:
    table = _UTILITIES_EN if locale == "en" else _UTILITIES_ZH
    return _alternatives(table, locale)


def _alternatives(
    table: dict[_Kind, tuple[str, ...]], locale: str
) -> tuple[re.Pattern[str], dict[str, _Kind]]:
    meaning = {word: key for key, words in table.items() for word in words}
    longest_first = "|".join(sorted(map(re.escape, meaning), key=len, reverse=True))
    edge = r"\b" if locale == "en" else ""
    return re.compile(rf"{edge}(?:{longest_first}){edge}"), meaning


def utilities(text: str, locale: str = "zh") -> list[Utility]:
    """The kinds of bills a folded text names, in order, each once (水电气 names three)."""
    text = _NOT_A_UTILITY.sub("※", text)
    found: list[tuple[int, Utility]] = []
    for match in _TOGETHER.finditer(text) if locale == "zh" else ():
        found += [(match.start() + at, part) for at, part in enumerate(_together(match[0]))]
    text = _TOGETHER.sub(lambda match: "※" * len(match[0]), text)
    pattern, meaning = _utilities_pattern(locale)
    found += [(match.start(), meaning[match[0]]) for match in pattern.finditer(text)]
    return list(dict.fromkeys(kind for _, kind in sorted(found, key=lambda pair: pair[0])))


def _together(word: str) -> list[Utility]:
    parts = [_TOGETHER_PARTS[char] for char in word if char in _TOGETHER_PARTS]
    if "气" in word and Utility.GAS not in parts:
        parts.append(Utility.GAS)
    return parts


def relation(text: str, locale: str = "zh") -> str | None:
    """Whose household a folded text names by kinship: mother, parents, spouse …; the first one named.

    张阿姨 and 王奶奶 are neighbours called politely, no aunt and no grandmother of the speaker's.
    """
    pattern, meaning = _relations_pattern(locale)
    text = _BOTH_ZH.sub("爸妈", _BOTH_EN.sub("parents", text))
    match = pattern.search((_TITLED_EN if locale == "en" else _TITLED_ZH).sub("※", text))
    return meaning[match[0]] if match else None


@cache
def _relations_pattern(locale: str) -> tuple[re.Pattern[str], dict[str, str]]:
    return _alternatives(_RELATIONS_EN if locale == "en" else _RELATIONS_ZH, locale)


def replaced(text: str, bill: str, kin: str, locale: str = "zh") -> str:
    """A folded text in which every kind of bill is `bill` and every relative is `kin`."""
    for (pattern, _), word in ((_utilities_pattern(locale), bill), (_relations_pattern(locale), kin)):
        text = pattern.sub(word, text)
    return text


def city(text: str, locale: str = "zh") -> str | None:
    """The city a folded text names, by its plain spelling (广州 → guangzhou)."""
    for spelling, name in _CITIES.items():
        if re.search(rf"\b{spelling}\b", text) if locale == "en" else name in text:
            return spelling
    return None


def preference(text: str) -> str | None:
    """How somebody wants to be served (换成英文 → english); None when a folded text names none, or several."""
    found = [name for name, pattern in _PREFERENCES.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else None


def is_name(word: str) -> bool:
    """Whether a word alone is a full Chinese name: a known family name and one or two characters."""
    return bool(re.fullmatch(f"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}", word)) and not relation(word)


def looks_like_name(word: str) -> bool:
    """The same, for a word inside a sentence: 马上 and 方便 only begin like a name."""
    return is_name(word) and not _NO_NAME.match(word)


def person_name(text: str, locale: str = "zh") -> str | None:
    """Somebody named by his full Chinese name (帮程福生交水费), or by family name and title (程老伯); else None."""
    if titled := (_TITLED_EN if locale == "en" else _TITLED_ZH).search(text):
        return titled[0]
    if locale == "en":
        return None
    match = _NAME_AFTER_FOR.search(text) or _NAME_FIRST.search(text)
    if match is None or _NO_NAME.match(match["name"]) or relation(match["name"]):
        return None
    return match["name"]


def fits_name(said: str, masked: str) -> bool:
    """Whether a name as somebody says it (程福生, 程老伯, mr cheng) may be the one that is shown as 程*生."""
    if title := _TITLED_ZH.fullmatch(said):
        return masked.startswith(title["family"] or title["old"])
    if title := _TITLED_EN.fullmatch(said):
        return masked[:1] in _SURNAMES and sounds(masked[:1]) == [as_heard(title["family"])]
    same_length = len(said) == len(masked)
    return same_length and all(shown in ("*", letter) for letter, shown in zip(said, masked, strict=True))
