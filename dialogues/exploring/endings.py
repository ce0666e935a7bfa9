"""States from which no answer, of people or of the house, leads to the end of the business: dead ends and silent circles."""

from __future__ import annotations

from collections import defaultdict

from dialogues.exploring.walking import Node, Walk
from dialogues.moment import LISTENING


def endless(walk: Walk) -> list[tuple[Node, bool]]:
    """Each state that cannot end, and whether people are asked anything on the way; only the nearest of those that
    lead into each other. Nobody is counted as leaving by 停 or 人工: the business itself must come to its end."""
    ending = _leading_to({node.number for node in walk.nodes if node.top is None}, walk)
    lost = [node for node in walk.nodes if node.number not in ending]
    told: set[int] = set()
    found: list[tuple[Node, bool]] = []
    for node in lost:
        if node.number in told:
            continue
        reached = _reached_from(node, walk)
        told |= reached
        listens = any((top := walk.nodes[n].top) is not None and top.phase in LISTENING for n in reached)
        found.append((node, listens))
    return found


def _leading_to(ends: set[int], walk: Walk) -> set[int]:
    before: dict[int, list[int]] = defaultdict(list)
    for node in walk.nodes:
        for number in node.next:
            before[number].append(node.number)
    found, waiting = set(ends), list(ends)
    while waiting:
        for number in before[waiting.pop()]:
            if number not in found:
                found.add(number)
                waiting.append(number)
    return found


def _reached_from(node: Node, walk: Walk) -> set[int]:
    found, waiting = {node.number}, [node.number]
    while waiting:
        new = walk.nodes[waiting.pop()].next - found
        found |= new
        waiting += sorted(new)
    return found
