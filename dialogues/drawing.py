"""A flow as a picture: every step a box below the one before it, every branch a line with its condition, as SVG.

Layers follow the longest way from the beginning; lines that lead back run at the right side, dashed. Nothing is drawn that
is not in the file, and the same file always gives the same picture.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from dialogues.commit import is_commit
from dialogues.flowfile import END
from dialogues.model import Branch, Flow, Release, Step

_FONT, _LINE = 13, 18  # pixels: size of the letters, and from line to line
_GAP_X, _GAP_Y, _MARGIN = 26, 30, 24
_WIDEST, _WIDEST_CONDITION = 30, 22  # half-width letters of one line, before it is broken
_MOST_LINES = 4
_CLOSING = "\uff0c\u3002\u3001\uff1b\uff1a\uff01\uff1f\u300d\uff09"  # no line begins with these
_BEGIN = "\0begin"
_COLOURS = {
    "begin": ("#ffffff", "#444444"),
    "end": ("#444444", "#444444"),
    "say": ("#e8f1fb", "#3b6ea5"),
    "action": ("#f1f1f1", "#777777"),
    "collect": ("#fff6d9", "#b98a00"),
    "commit": ("#fde4e1", "#b3261e"),
    "flow": ("#efe6f7", "#7450a0"),
    "set_slots": ("#e6f4ea", "#3f7d52"),
    "noop": ("#ffffff", "#999999"),
}


@dataclass
class _Node:
    """A box, a condition on a line, or a mere bend of a line that passes through a layer."""

    id: str
    lines: tuple[str, ...] = ()
    look: str = ""
    layer: int = 0
    x: float = 0  # of the middle
    tall: float = 0  # of a bend: as its whole row, so that the line passes straight between boxes
    after: list[str] = field(default_factory=list)

    @property
    def width(self) -> float:
        padding = 22 if self.look else 6
        return (
            max((_wide(line) for line in self.lines), default=0) * _FONT * 0.56 + padding if self.lines else 8
        )

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + (12 if self.look else 2) if self.lines else self.tall


def svg(release: Release, flow: Flow, locale: str = "zh") -> str:
    """The picture of one flow."""
    nodes, back = _graph(release, flow, locale)
    rows = _rows(nodes)
    _place(nodes, rows)
    return _drawn(nodes, rows, back, _title(flow, locale))


# --- the graph ----------------------------------------------------------------------------------------------------


def _graph(release: Release, flow: Flow, locale: str) -> tuple[dict[str, _Node], list[tuple[str, str]]]:
    """Boxes and conditions with what comes after each, and the lines that lead back."""
    nodes = {_BEGIN: _Node(_BEGIN, _begin_lines(flow), "begin", after=[flow.first])}
    for step in flow.steps.values():
        nodes[step.id] = _Node(step.id, _lines_of(release, step, locale), _look(step))
    back = set(_leading_back(flow))
    found = []
    for step in flow.steps.values():
        for number, branch in enumerate(step.next):
            label = _condition(branch, alone=len(step.next) == 1)
            at = step.id
            if label:
                at = f"{step.id}\0{number}"
                nodes[at] = _Node(at, label)
                nodes[step.id].after.append(at)
            if (step.id, branch.target) in back:
                found.append((at, branch.target))
            elif branch.target != END:
                nodes[at].after.append(branch.target)
            elif (
                step.kind != "link"
            ):  # every end is drawn where it is: one for all would draw lines across the picture
                nodes[f"{at}\0{END}"] = _Node(f"{at}\0{END}", (END,), "end")
                nodes[at].after.append(f"{at}\0{END}")
    _layer(nodes)
    return _bent(nodes), found


def _leading_back(flow: Flow) -> Iterator[tuple[str, str]]:
    """Branches to a step that is on the way to themselves."""
    open_steps: list[str] = []
    done: set[str] = set()

    def walk(name: str) -> Iterator[tuple[str, str]]:
        open_steps.append(name)
        for branch in flow.steps[name].next:
            if branch.target in open_steps:
                yield name, branch.target
            elif branch.target not in done and branch.target in flow.steps:
                yield from walk(branch.target)
        open_steps.pop()
        done.add(name)

    for name in flow.steps:
        if name not in done:
            yield from walk(name)


def _layer(nodes: dict[str, _Node]) -> None:
    """Every node one layer below the lowest that leads to it."""
    changed = True
    while changed:
        changed = False
        for node in nodes.values():
            for target in node.after:
                if nodes[target].layer <= node.layer:
                    nodes[target].layer, changed = node.layer + 1, True


def _bent(nodes: dict[str, _Node]) -> dict[str, _Node]:
    """Lines over several layers get a bend in each, so that no box stands in their way."""
    found = dict(nodes)
    for node in nodes.values():
        for place, target in enumerate(node.after):
            below = target
            for layer in range(nodes[target].layer - 1, node.layer, -1):
                bend = _Node(f"{node.id}\0{place}\0{layer}", layer=layer, after=[below])
                found[bend.id] = bend
                below = bend.id
            node.after[place] = below
    return found


# --- where everything stands --------------------------------------------------------------------------------------


def _rows(nodes: Mapping[str, _Node]) -> list[list[str]]:
    """The nodes of each layer from left to right, put near what leads to them."""
    rows: list[list[str]] = [[] for _ in range(max(node.layer for node in nodes.values()) + 1)]
    for name, node in nodes.items():
        rows[node.layer].append(name)
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for name, node in nodes.items():
        for target in node.after:
            before[target].append(name)
    for _ in range(6):
        for upper, lower in itertools.pairwise(rows):
            place = {name: n for n, name in enumerate(upper)}
            lower.sort(key=lambda name: _mean([place[b] for b in before[name]]))
        for upper, lower in zip(reversed(rows[:-1]), reversed(rows[1:]), strict=True):
            place = {name: n for n, name in enumerate(lower)}
            upper.sort(key=lambda name: _mean([place[a] for a in nodes[name].after]))
    return rows


def _place(nodes: Mapping[str, _Node], rows: Sequence[Sequence[str]]) -> None:
    """x of every node: side by side, then drawn towards its neighbours as far as there is room."""
    for row in rows:
        _spread([nodes[name] for name in row], [0.0] * len(row))
    near: dict[str, list[str]] = {name: list(node.after) for name, node in nodes.items()}
    for name, node in nodes.items():
        for target in node.after:
            near[target].append(name)
    for turn in range(24):
        for row in rows if turn % 2 else reversed(rows):
            wanted = [_mean([nodes[n].x for n in near[name]] or [nodes[name].x]) for name in row]
            _spread([nodes[name] for name in row], wanted)
    left = min(node.x - node.width / 2 for node in nodes.values())
    for node in nodes.values():
        node.x += _MARGIN - left


def _spread(row: Sequence[_Node], wanted: Sequence[float]) -> None:
    """Puts a row where it wants to be, in its order and without overlap; what is pushed, is pushed to both sides."""
    groups: list[
        tuple[float, float, list[tuple[_Node, float]]]
    ] = []  # left, width, members with their offset
    for node, where in zip(row, wanted, strict=True):
        width = node.width + _GAP_X
        groups.append((where - width / 2, width, [(node, width / 2)]))
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] > groups[-1][0]:
            right, left = groups.pop(), groups.pop()
            weight = len(left[2]) + len(right[2])
            start = (left[0] * len(left[2]) + (right[0] - left[1]) * len(right[2])) / weight
            members = [*left[2], *((n, offset + left[1]) for n, offset in right[2])]
            groups.append((start, left[1] + right[1], members))
    for start, _, members in groups:
        for node, offset in members:
            node.x = start + offset


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


# --- drawing ------------------------------------------------------------------------------------------------------


def _drawn(
    nodes: Mapping[str, _Node], rows: Sequence[Sequence[str]], back: Sequence[tuple[str, str]], title: str
) -> str:
    tops, y = [], float(_MARGIN + 2 * _LINE)
    for row in rows:
        tops.append(y)
        tall = max(nodes[name].height for name in row)
        for name in row:
            nodes[name].tall = tall
        y += tall + _GAP_Y
    middle = {
        n: tops[node.layer] + max(nodes[o].height for o in rows[node.layer]) / 2 for n, node in nodes.items()
    }
    edge = max(node.x + node.width / 2 for node in nodes.values())
    width = max(edge + _MARGIN + 14 * len(back), _wide(title) * 9 + 2 * _MARGIN)
    parts = [_head(width, y, title)]
    for name, node in nodes.items():
        parts += [_line(node, nodes[target], middle[name], middle[target]) for target in node.after]
    for number, (start, target) in enumerate(back, start=1):
        parts.append(
            _line_back(nodes[start], nodes[target], middle[start], middle[target], edge + 14 * number)
        )
    parts += [_box(node, middle[name]) for name, node in nodes.items() if node.lines]
    return "\n".join([*parts, "</svg>", ""])


def _head(width: float, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Noto Sans CJK SC, sans-serif" font-size="{_FONT}">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<title>{escape(title)}</title>\n'
        f'<text x="{_MARGIN}" y="{_MARGIN + 6}" font-size="16" font-weight="bold">{escape(title)}</text>'
    )


def _line(node: _Node, target: _Node, at: float, below: float) -> str:
    y1, y2 = at + node.height / 2, below - target.height / 2
    tip = ' marker-end="url(#tip)"' if target.look else ""
    half = (y1 + y2) / 2
    top = y1 if node.lines else at - node.height / 2  # a bend draws its own way through its row
    curve = (
        f"M{node.x:.1f} {top:.1f}L{node.x:.1f} {y1:.1f}"
        f"C{node.x:.1f} {half:.1f} {target.x:.1f} {half:.1f} {target.x:.1f} {y2:.1f}"
    )
    return f'<path d="{curve}" fill="none" stroke="#555"{tip}/>'


def _line_back(node: _Node, target: _Node, at: float, above: float, x: float) -> str:
    start, end = node.x + node.width / 2, target.x + target.width / 2
    return (
        f'<path d="M{start:.1f} {at:.1f}C{x:.1f} {at:.1f} {x:.1f} {at:.1f} {x:.1f} {at - 20:.1f}'
        f'L{x:.1f} {above + 20:.1f}C{x:.1f} {above:.1f} {x:.1f} {above:.1f} {end:.1f} {above:.1f}" '
        'fill="none" stroke="#555" stroke-dasharray="5 4" marker-end="url(#tip)"/>'
    )


def _box(node: _Node, middle: float) -> str:
    parts, first = [], middle - (len(node.lines) - 1) * _LINE / 2 + _FONT * 0.36
    ink = "#fff" if node.look == "end" else "#222" if node.look else "#555"
    x, y = node.x - node.width / 2, middle - node.height / 2
    fill, border = _COLOURS.get(node.look, ("#ffffff", "none"))
    round_by = 16 if node.look in {"begin", "end"} else 5
    parts.append(
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" rx="{round_by}" '
        f'fill="{fill}" stroke="{border}"/>'
    )
    for number, line in enumerate(node.lines):
        style = ' font-weight="bold"' if number == 0 and node.look not in {"", "end"} else ""
        y = first + number * _LINE
        parts.append(
            f'<text x="{node.x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{ink}"{style}>{escape(line)}</text>'
        )
    return "".join(parts)


# --- words --------------------------------------------------------------------------------------------------------


def _title(flow: Flow, locale: str) -> str:
    name = flow.name.get(locale, "")
    return f"{name} ({flow.id})" if name else flow.id


def _begin_lines(flow: Flow) -> tuple[str, ...]:
    found = list(_broken(flow.description, 2 * _WIDEST))
    if flow.guard is not None:
        found += _broken(f"if {flow.guard.text}", 2 * _WIDEST)
    return tuple(found[:_MOST_LINES])


def _lines_of(release: Release, step: Step, locale: str) -> tuple[str, ...]:
    """What a box says: what the step does, and the sentence that people hear."""
    match step.kind:
        case "collect":
            return (f"? {step.collect}", *_heard(release, step.utter, locale))
        case "set_slots":
            return tuple(
                f"{slot} = {'null' if value is None else value}" for slot, value in step.assignments
            )[:_MOST_LINES]
        case "call" | "link":
            return (f"{step.kind} {step.flow}",)
        case "noop":
            return (step.id,)
    if is_commit(step):
        utter = str(dict(step.metadata.get("commit") or {}).get("utter", ""))
        return (step.action, *_heard(release, utter, locale))
    return (step.action, *_heard(release, step.action, locale))


def _heard(release: Release, name: str, locale: str) -> tuple[str, ...]:
    variations = release.responses.get(locale, {}).get(name, ())
    plain = [v for v in variations if v.condition is None and v.channel is None] or variations
    return tuple(_broken(plain[0].text, _WIDEST))[: _MOST_LINES - 1] if plain else ()


def _look(step: Step) -> str:
    if step.kind in {"call", "link"}:
        return "flow"
    if step.kind == "action":
        return "commit" if is_commit(step) else "say" if step.action.startswith("utter_") else "action"
    return step.kind


def _condition(branch: Branch, *, alone: bool) -> tuple[str, ...]:
    if branch.condition is None:
        return () if alone else ("else",)
    short = branch.condition.text.replace("context.outcome is ", "").replace("slots.", "")
    return tuple(_broken(short, _WIDEST_CONDITION))[:_MOST_LINES]


def _broken(text: str, widest: int) -> Iterator[str]:
    """A text in lines no wider than so many half-width letters; broken at a space where there is one."""
    for paragraph in text.splitlines():
        line = ""
        for piece in _pieces(paragraph):
            if line and _wide(line + piece) > widest:
                yield line.rstrip()
                line = piece.lstrip()
            else:
                line += piece
        if line.strip():
            yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Words with the space after them; a Chinese character is a word."""
    word = ""
    for letter in text:
        if letter in _CLOSING:
            word += letter
        elif _wide(letter) > 1 or letter == " ":
            yield word + letter if letter == " " else word
            word = "" if letter == " " else letter
        else:
            word += letter
    yield word


def _wide(text: str) -> int:
    """Half-width letters a text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
