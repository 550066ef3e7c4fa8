"""Where what was measured on a GPU is kept, and how it is held beside what was asked.

place("step", ".json") -> bench/results/step-nvidia-h100-80gb-hbm3.json        where neither --json nor --plot says otherwise
with_figures("step", result) -> result with "asked"; shows them
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.gpu.device import the_gpu
from bench.gpu.table import show_targets
from bench.gpu.targets import asked

FOLDER = Path(__file__).resolve().parents[1] / "results"


def place(command: str, suffix: str) -> Path:
    """By the command and the name of the device; the folder is made where it is missing."""
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"{command}-{re.sub(r'[^a-z0-9]+', '-', the_gpu().about()['name'].lower()).strip('-')}{suffix}"


def with_figures(command: str, result: dict[str, Any]) -> dict[str, Any]:
    """Met, missed, or not in this result."""
    figures = asked(command, result)
    if figures:
        show_targets(figures)
    return result | {"asked": [figure.plain() for figure in figures]}
