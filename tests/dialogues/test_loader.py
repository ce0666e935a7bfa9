"""Flow files: what is read, what is refused, and that every mistake is told with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogues import folder, loader
from dialogues.loader import FlowErrors
from dialogues.model import Release
from tests.dialogues.talking import ACTIONS, shop

DOMAIN = """
slots:
  a: {type: text, mappings: [{type: custom}]}
  b: {type: any, mappings: [{type: custom, metadata: {type: money, depends_on: [a]}}]}
"""


def load(tmp_path: Path, flows: str, domain: str = DOMAIN) -> Release:
    (tmp_path / "domain.yml").write_text(domain, "utf-8")
    (tmp_path / "flows.yml").write_text(flows, "utf-8")
    return loader.load([tmp_path / "domain.yml", tmp_path / "flows.yml"], {})


def flow(steps: str, more: str = "") -> str:
    """A file with one flow; its first step stands on line 4 (5 with `more`)."""
    return f"flows:\n  f:\n    description: d\n{more}    steps:\n{steps}"


def test_steps_follow_each_other_and_nested_branches_become_steps(tmp_path: Path) -> None:
    steps = """
      - action: utter_x
      - id: ask
        collect: a
        next:
          - if: slots.a is "x"
            then:
              - set_slots: [{b: 3}, {a: null}]
              - action: utter_y
                next: END
          - else: ask
"""
    found = load(tmp_path, flow(steps)).flows["f"]
    names = list(found.steps)
    assert names == ["0_action_utter_x", "ask", "2_set_slots", "3_action_utter_y"]
    assert [branch.target for branch in found.steps["ask"].next] == ["2_set_slots", "ask"]
    assert found.steps["2_set_slots"].assignments == (("b", 3), ("a", None))
    assert found.steps["2_set_slots"].next[0].target == "3_action_utter_y"
    assert found.steps["0_action_utter_x"].next[0].target == "ask"
    assert found.steps["ask"].where.line == 7


@pytest.mark.parametrize(
    ("steps", "line", "message"),
    [
        ("      - acton: utter_x\n", 5, "does not say what it is"),
        ("      - action: utter_x\n        utterr: y\n", 6, "knows no 'utterr'"),
        ("      - collect: a\n        ask_before_fillin: true\n", 6, "knows no 'ask_before_fillin'"),
        ("      - action: utter_x\n        next: nowhere\n", 5, "leads to 'nowhere'"),
        ("      - {id: x, action: utter_x}\n      - {id: x, action: utter_y}\n", 6, "two steps called 'x'"),
        ("      - action: utter_x\n        next:\n          - if: slots.a\n            then: END\n", 7, "is not else"),
        ("      - action: utter_x\n        next:\n          - if: slots.a is\n            then: END\n          - else: END\n", 7, "not understood"),
        ("      - noop: true\n", 5, "leads nowhere"),
        ("      - call: other\n", 5, "flow 'other', which does not exist"),
        ("      - link: f\n", 5, "links to its own flow"),
        ("      - collect: c\n", 5, "'c', which is no slot"),
        ("      - action: utter_x\n        next:\n          - if: slots.c\n            then: END\n          - else: END\n", 5, "slots.c"),
        ("      - action: utter_x\n        next:\n          - if: slots.b is 'x'\n            then: END\n          - else: END\n", 5, "never"),
        ("      - action: utter_x\n        next:\n          - else:\n            - action: utter_y\n", 8, "without saying where it leads"),
        ("      - {id: END, action: utter_x}\n", 5, "may be called END"),
        ("      - just words\n", 5, "must be a mapping"),
        ("      - collect: a\n        rejections: [{if: slots.a is 'x'}]\n", 6, "says nothing"),
        ("      - {link: x, next: y}\n", 5, "after a link"),
    ],
)  # fmt: skip
def test_every_mistake_has_its_line(tmp_path: Path, steps: str, line: int, message: str) -> None:
    with pytest.raises(FlowErrors) as caught:
        load(tmp_path, flow(steps))
    told = [(error.where.line, str(error)) for error in caught.value.errors]
    assert any(at == line and message in text and "flows.yml" in text for at, text in told), told


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("slots: {a: {type: money}}", "own types stand under mappings"),
        ("slots: {a: {type: txt}}", "did you mean 'text'?"),
        (
            "slots: {a: {type: any, mappings: [{type: custom, metadata: {type: mony}}]}}",
            "did you mean 'money'?",
        ),
        ("slots: {a: {type: any, mappings: [{type: custom, metadata: {depends: [b]}}]}}", "depends_on"),
        ("slots: {a: {type: categorical}}", "lists no values"),
        (
            "slots: {a: {type: text, mappings: [{type: custom, metadata: {depends_on: [zz]}}]}}",
            "'zz', which is no slot",
        ),
        ("slots: {a: {type: text}}\nslot: {}", "did you mean 'slots'?"),
        ("slots: {a: {type: text}, a: {type: text}}", "written twice"),
        ("slots: [", "not YAML"),
        ("slots: 3", "must be a mapping"),
    ],
)
def test_slots_are_read_strictly(tmp_path: Path, domain: str, message: str) -> None:
    with pytest.raises(FlowErrors, match=r"domain\.yml") as caught:
        load(tmp_path, flow("      - action: utter_x\n"), domain)
    assert message in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FlowErrors) as caught:
        load(
            tmp_path,
            flow("      - {collect: c}\n      - {action: utter_x, nxt: END}\n"),
            "slots: {a: {type: txt}}",
        )
    assert len(caught.value.errors) == 3


def test_words_stay_words_as_in_yaml_1_2(tmp_path: Path) -> None:
    found = load(tmp_path, flow("      - set_slots: [{a: yes}, {a: 0319}, {b: 319}, {a: 'null'}, {a: ~}]\n"))
    values = [value for _, value in found.flows["f"].steps["0_set_slots"].assignments]
    assert values == ["yes", "0319", 319, "null", None]


def test_the_release_is_named_by_its_content(tmp_path: Path) -> None:
    one, same = (load(tmp_path, flow("      - action: utter_x\n")) for _ in range(2))
    other = load(tmp_path, flow("      - action: utter_y\n"))
    assert one.id == same.id != other.id


def test_own_slot_types_and_dependencies_are_read() -> None:
    account = shop().slots["account"]
    assert (account.type, account.depends_on, account.sensitive) == ("account", ("kind",), True)
    assert shop().slots["tries"].initial == 0
    assert shop().flows["pay"].name == {"zh": "交费", "en": "paying"}
    assert shop().flows["pay"].intents == ("pay",)


def test_a_name_in_two_files_is_a_mistake(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(flow("      - action: utter_x\n"), "utf-8")
    with pytest.raises(FlowErrors, match="written twice"):
        loader.load([tmp_path / "one.yml", tmp_path / "two.yml"], ACTIONS)


def test_older_ways_of_writing_are_understood(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(
        """
flows:
  f:
    description: d
    if: slots.a is not null
    nlu_trigger: [{intent: {name: go, confidence_threshold: 0.5}}]
    steps: [{collect: a, reset_after_flow_ends: false}]
slots: {a: {type: text}}
responses:
  utter_x:
    - {text: one, condition: [{type: slot, name: a, value: "x"}]}
    - {text: two, translation: {en: three}, allow_interruptions: false}
""",
        "utf-8",
    )
    found = loader.load([tmp_path / "x.yml"], {})
    assert found.flows["f"].persisted == ("a",)
    assert found.flows["f"].intents == ("go",)
    assert [v.text for v in found.responses["zh"]["utter_x"]] == ["one", "two"]
    condition = found.responses["zh"]["utter_x"][0].condition
    assert condition is not None
    assert condition.text == 'slots.a is "x"'
    assert found.responses["zh"]["utter_x"][1].metadata == {"interruptible": False}
    assert found.responses["en"]["utter_x"][0].text == "three"


# --- any folder of Rasa files ----------------------------------------------------------------------------------------


def test_check_counts_what_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "nlu.yml").write_text("nlu: [{intent: x, examples: '- a'}]", "utf-8")
    (tmp_path / "config.yml").write_text("pipeline: [{name: X}]", "utf-8")
    two = """
flows:
  good:
    description: d
    steps: [{action: action_anything}]
  bad:
    description: d
    steps:
      - collect: a
        net: END
  pattern_x:
    description: d
    steps:
      - action: utter_y
        next: [{if: "slots.{{context.collect}} is null", then: END}, {else: END}]
"""
    (tmp_path / "flows.yml").write_text(two, "utf-8")
    report = folder.check([tmp_path])
    assert (report.files, report.flows, report.loaded) == (3, 3, 2)
    (error,) = report.errors
    assert error["line"] == 10
    assert error["file"].endswith("flows.yml")
    assert "did you mean 'next'?" in error["message"]


def test_check_says_when_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("flows:\n  a: [", "utf-8")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    messages = {
        Path(error["file"]).name: error["message"]
        for error in folder.check([tmp_path, tmp_path / "absent.yml"]).errors
    }
    assert set(messages) == {"broken.yml", "binary.yml", "absent.yml"}


def test_a_mistyped_top_word_is_not_taken_for_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "flows.yml").write_text("flow:\n  a: {description: d, steps: [{action: x}]}", "utf-8")
    assert "did you mean 'flows'?" in folder.check([tmp_path]).errors[0]["message"]


def test_aliases_of_aliases_do_not_grow(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    )
    (tmp_path / "bomb.yml").write_text(bomb + "flows: {}\n", "utf-8")
    assert folder.check([tmp_path]).flows == 0
