"""Launches that were recorded as a CUDA graph: called, they run; drawn, they say how long they must take.

    recording()            replays all of them, as one launch
    recording.chain()      -> (launches, longest): how many there are, and how many of them come one after another

A launch in a graph takes a microsecond or so whatever it does, so `longest` times that is the least that a graph of small kernels takes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

NODE, EDGE = re.compile(r'^\s*"([^"\n]+)"\s*\[', re.M), re.compile(r'^\s*"([^"\n]+)"\s*->\s*"([^"\n]+)"', re.M)


class Recording:
    """CuPy's graph."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def __call__(self) -> None:
        """All launches again."""
        self.graph.launch()

    def chain(self) -> tuple[int, int]:
        """Launches, and how many of them come one after another."""
        return chain_of(self.graph.debug_dot_str())


def chain_of(drawn: str) -> tuple[int, int]:
    """Of a graph in the language of Graphviz: its nodes, and those of its longest path. (0, 0) where there is none."""
    nodes = dict.fromkeys(NODE.findall(drawn))
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, list[str]] = defaultdict(list)
    for earlier, later in set(EDGE.findall(drawn)):
        before[later].add(earlier)
        after[earlier].append(later)
    depth = dict.fromkeys(nodes, 1)
    ready = [node for node in nodes if not before[node]]
    for node in ready:  # grows: a node follows as soon as all before it have their depth
        for later in after[node]:
            depth[later] = max(depth[later], depth[node] + 1)
            before[later].discard(node)
            if not before[later]:
                ready.append(later)
    return len(nodes), max(depth.values(), default=0)
