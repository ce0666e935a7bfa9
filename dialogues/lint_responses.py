"""What must hold of every sentence: both languages, the same values, breath for a telephone, no money asserted unproved."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialogues import mappings, payloads, predicate, responses
from dialogues.model import Release, Variation
from dialogues.problems import FlowError, nearest

CLAIMS = frozenset({"captured", "posted", "refunded", "not_captured"})
CHANNELS = frozenset({"voice", "chat", "web", "console", "telegram", "wecom", "wechat"})
LONGEST_BREATH = 40  # Chinese characters between two pauses (S-I8)
MOST_CHOICES = 3
_METADATA = frozenset({"claims", "offers", "menu", "interruptible", "slower_text"})
_FORMS = frozenset({"", "money", "column", "yuan", "tail", "groups", "date", "list"})
# Words that say money has moved. A negated one (没有扣款) or a question says nothing of the kind.
_ZH_ASSERTS = re.compile(
    r"已经?扣|扣款成功|已销账|销账成功|已到账|已经到账|到账了|付款成功|缴费成功|充值成功|已退款?|已经退|退回来了|"
    r"[充缴交付退]好了(?!就|我|再|以?后|之后|会|吗|没)"  # 付好了我告诉您 speaks of what will be
)
_ZH_NOT = re.compile(
    r"(?:没有?|还没有?|未|不会|不|并未|尚未|没能)[^,\uff0c\u3002;\uff1b!\uff01?\uff1f\n]{0,6}$"
)
_EN_ASSERTS = re.compile(
    r"\b(?:was|were|has been|have been|is now|is already) (?:charged|posted|written off|paid|refunded|credited|debited)\b|"
    r"\bpayment (?:succeeded|went through)\b|\bwe (?:charged|posted|refunded)\b|\bpaid successfully\b|"
    r"\bcharged\b|\b(?:booked|confirmed) as paid\b|\barrived on\b",
    re.IGNORECASE,
)
_EN_NOT = re.compile(
    r"\b(?:not|nothing|no money|never|isn't|wasn't|hasn't|if|until|when|once|unless|whether)\b[^.!?;\n]{0,40}$",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"[,;:.!?\n\uff0c\u3002\u3001\uff1b\uff1a\uff01\uff1f\u2026\u2014]")
_KEY = re.compile(r"按(?:键)?\s*([1-9])|\bpress\s+([1-9])", re.IGNORECASE)
_NAME = re.compile(r"\{[^{}]*\}")
_FORMED = re.compile(r"\{([a-z_][a-z0-9_]*)\.([a-z]+)\}")
_VALUE_LENGTH = 4  # characters a value takes when it is spoken, about


def lint_responses(release: Release) -> Iterator[FlowError]:
    """Every sentence that breaks a rule."""
    for locale, sentences in release.responses.items():
        for name, variations in sentences.items():
            yield from _other_languages(release, locale, name, variations)
            for variation in variations:
                what = f"response {name} ({locale})"
                yield from _words(release, variation, what)
                yield from _buttons(release, variation, what)
                if variation.channel == "voice" or not any(v.channel == "voice" for v in variations):
                    yield from _spoken(variation, what)
            if all(v.condition is not None or v.channel is not None for v in variations):
                yield FlowError(
                    variations[-1].where, f"response {name} ({locale}) has no variation for everything else"
                )


def _other_languages(
    release: Release, locale: str, name: str, variations: tuple[Variation, ...]
) -> Iterator[FlowError]:
    here = _values(variations)
    for other, sentences in release.responses.items():
        if other == locale:
            continue
        if name not in sentences:
            yield FlowError(
                variations[0].where, f"response {name} is missing in '{other}'", nearest(name, sentences)
            )
        elif more := here - _values(sentences[name]):
            told = ", ".join(sorted(more))
            yield FlowError(
                sentences[name][0].where, f"response {name} ({other}) does not tell {told}, ({locale}) does"
            )


def _values(variations: tuple[Variation, ...]) -> set[str]:
    return {name for variation in variations for name in responses.variation_names(variation)}


def _words(release: Release, variation: Variation, what: str) -> Iterator[FlowError]:
    where, texts = variation.where, [variation.text, str(variation.metadata.get("slower_text", ""))]
    for key in variation.metadata:
        if key not in _METADATA:
            yield FlowError(where, f"{what}: metadata knows no '{key}'", nearest(key, _METADATA))
    if variation.channel is not None and variation.channel not in CHANNELS:
        yield FlowError(where, f"{what} is for channel '{variation.channel}'", " | ".join(sorted(CHANNELS)))
    claims = variation.metadata.get("claims")
    if claims is not None and claims not in CLAIMS:
        yield FlowError(where, f"{what} claims '{claims}'", " | ".join(sorted(CLAIMS)))
    if claims is None and any(asserts_money(text) for text in texts):
        yield FlowError(
            where,
            f"{what} says that money has moved and claims nothing",
            "metadata: {claims: captured | posted | refunded | not_captured}",
        )
    for text in texts:
        for name, form in _FORMED.findall(text):
            if form not in _FORMS:
                yield FlowError(where, f"{what}: {{{name}.{form}}} has no such form", nearest(form, _FORMS))
    if variation.condition is not None and any(
        path.root == "context" for path in predicate.paths(variation.condition)
    ):
        yield FlowError(where, f"{what} depends on context", "a sentence may look at slots and facts only")


def asserts_money(text: str) -> bool:
    """Whether a sentence says that money was taken, posted or given back."""
    for pattern, negation in ((_ZH_ASSERTS, _ZH_NOT), (_EN_ASSERTS, _EN_NOT)):
        for match in pattern.finditer(text):
            asked = text[match.end() : match.end() + 6].lstrip("了的吗嘛呢 ").startswith(("?", "\uff1f"))
            if not negation.search(text[: match.start()]) and not asked:
                return True
    return False


def _buttons(release: Release, variation: Variation, what: str) -> Iterator[FlowError]:
    for button in variation.buttons:
        if hint := _means_nothing(release, button.payload):
            yield FlowError(
                variation.where, f"{what}: button '{button.title}' means nothing: {button.payload}", hint
            )


def _means_nothing(release: Release, payload: str) -> str:
    """What could have been meant by a payload that does nothing; "" for one that does something."""
    meant = payloads.read(payload)
    if isinstance(meant, payloads.Intent) and meant.name not in mappings.intents(release):
        return nearest(payload, payloads.PLAIN_PAYLOADS) or 'or /choose{"value"}'
    if isinstance(meant, payloads.SetSlots):
        strange = [name for name in meant.values if name not in release.slots]
        return f"there is no slot {strange[0]}" if strange else ""
    return ""


def _spoken(variation: Variation, what: str) -> Iterator[FlowError]:
    texts = [variation.text, str(variation.metadata.get("slower_text", ""))]
    for text in texts:
        longest = max(
            (_length(part) for part in _PAUSE.split(_NAME.sub("值" * _VALUE_LENGTH, text))), default=0
        )
        if longest > LONGEST_BREATH:
            yield FlowError(
                variation.where, f"{what}: {longest} characters without a pause", f"at most {LONGEST_BREATH}"
            )
        keys = {one or other for one, other in _KEY.findall(text)}
        if len(keys) > MOST_CHOICES:
            yield FlowError(
                variation.where, f"{what} offers {len(keys)} keys", f"at most {MOST_CHOICES} to keep in mind"
            )


def _length(part: str) -> int:
    """Chinese characters of a breath; a word of another language counts as two."""
    chinese = len(re.findall(r"[\u3400-\u9fff]", part))
    return chinese + 2 * len(re.findall(r"[A-Za-z]+", part))
