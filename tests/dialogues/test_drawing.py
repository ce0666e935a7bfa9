"""The picture of a flow shows every step and every condition of its file, side by side and never over each other."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

from dialogues.drawing import svg
from tests.dialogues.talking import shop

FLOWS = sorted(shop().flows)
_SVG = "{http://www.w3.org/2000/svg}"


def _boxes(picture: str) -> list[tuple[float, float, float, float]]:
    found = ElementTree.fromstring(picture).iter(f"{_SVG}rect")
    sizes = [tuple(float(box.get(key, "0")) for key in ("x", "y", "width", "height")) for box in found if "%" not in box.get("width", "")]  # fmt: skip
    return [(x, y, w, h) for x, y, w, h in sizes]


@pytest.mark.parametrize("name", FLOWS)
def test_boxes_stand_beside_and_below_each_other(name: str) -> None:
    boxes = _boxes(svg(shop(), shop().flows[name]))
    assert len(boxes) > len(shop().flows[name].steps)
    for (x, y, w, h), (u, v, a, b) in combinations(boxes, 2):
        assert x + w <= u or u + a <= x or y + h <= v or v + b <= y


@pytest.mark.parametrize("name", FLOWS)
def test_every_step_and_condition_can_be_read(name: str) -> None:
    flow = shop().flows[name]
    picture = ElementTree.fromstring(svg(shop(), flow))
    words = "".join(text.text or "" for text in picture.iter(f"{_SVG}text")).replace(" ", "")
    for step in flow.steps.values():
        assert (step.action or step.collect or step.flow or step.id or "").replace(
            " ", ""
        ) in words or step.assignments
        for slot, _ in step.assignments[:4]:
            assert slot in words
        for branch in step.next:
            if branch.condition is not None:
                short = branch.condition.text.replace("context.outcome is ", "").replace("slots.", "")
                assert short.replace(" ", "") in words


def test_a_line_that_leads_back_is_dashed_and_another_language_is_drawn() -> None:
    pay = svg(shop(), shop().flows["pay"], "en")
    assert "paying (pay)" in pay
    assert pay == svg(shop(), shop().flows["pay"], "en")
    assert any("stroke-dasharray" in svg(shop(), flow) for flow in shop().flows.values())
