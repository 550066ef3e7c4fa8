"""What `npae train PRESET` says at its end: the losses in the document's own unit, and beside them what was published."""

from __future__ import annotations

from typing import Any

from npae.evaluation.seed_run import PARTS, in_unit
from npae.presets import Preset, preset, preset_names
from npae.training.configuration import Configuration
from npae.training.history import History


def in_the_documents_unit(configuration: Configuration, history: History) -> dict[str, Any] | None:
    """The unit, each published epoch's losses and the last's, and the settings that are not the document's; None for what is no preset."""
    if configuration.name not in preset_names() or not history:
        return None
    chosen = preset(configuration.name)
    published = {number.name: number for number in chosen.published.numbers}
    losses = []
    for row in history:
        for part in PARTS:
            name = f"epoch {row['epoch']}" + ("" if part == "train" else f" {part}")
            if row.get(part) and (name in published or row is history[-1]):
                told = published[name].printed if name in published else None
                losses.append({"name": name, "value": in_unit(chosen, row, part)["total"], "published": told})
    return {"unit": chosen.published.unit, "losses": losses, "changed": _changed(chosen, configuration)}


def published_lines(found: dict[str, Any]) -> list[str]:
    """The same as text."""
    lines = [f"in the document's unit ({found['unit']}):"]
    for one in found["losses"]:
        beside = f", published {one['published']}" if one["published"] else ""
        lines.append(f"  {one['name']}: {one['value']:.7g}{beside}")
    if found["changed"]:
        lines.append(f"  not the document's settings: {', '.join(found['changed'])}")
    return lines


def _changed(chosen: Preset, configuration: Configuration) -> list[str]:
    """The settings of the preset that this run has otherwise; another number of epochs is seen anyway."""
    return [key for key, value in chosen.settings.items() if key not in ("model", "data", "epochs") and configuration[key] != value]
