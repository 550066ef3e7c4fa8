"""What can be explained, by name and in groups: all that npae exports or registers, so that a thing without a derivation is missed.

    find("dense")          the derivation; capitals, "-" and "_" do not matter where no other name differs by them alone
    registered()           group -> the names that have to have one

Raises InputError for an unknown name, with the nearest.
"""

from __future__ import annotations

import functools
from types import ModuleType

from npae import layers, losses
from npae.errors import InputError, nearest
from npae.explain.derivation import Derivation
from npae.explain.derivations import (
    activations,
    adversarial,
    autoencoders,
    bernoulli,
    categorical,
    composition,
    dense,
    discrepancy,
    distances,
    divergence,
    games,
    importance,
    local_inference,
    many_draws,
    matched_codes,
    optimiser,
    penalties,
    products,
    random_layers,
    random_numbers,
    regularised,
    relabelled,
    squared_error,
    variational,
)
from npae.explain.sources import document
from npae.kernels.registry import KERNELS
from npae.layers import Node
from npae.models import MODELS
from npae.optim import Adam
from npae.presets import preset, preset_names

FILES: tuple[ModuleType, ...] = (
    dense,
    activations,
    composition,
    random_layers,
    squared_error,
    bernoulli,
    categorical,
    divergence,
    discrepancy,
    distances,
    relabelled,
    products,
    adversarial,
    importance,
    penalties,
    optimiser,
    autoencoders,
    regularised,
    variational,
    matched_codes,
    many_draws,
    local_inference,
    games,
    random_numbers,
)


@functools.cache
def derivations() -> dict[str, Derivation]:
    """Every derivation by name."""
    return {one.name: one for file in FILES for one in file.DERIVATIONS}


def registered() -> dict[str, list[str]]:
    """Group -> the names of all that npae has of it."""
    return {
        "layers": _nodes(layers),
        "losses": [*_nodes(losses), losses.Bandwidth.__name__],
        "models": list(MODELS),
        "optimisers": [Adam.__name__],
        "kernels": list(KERNELS),
    }


def _nodes(package: ModuleType) -> list[str]:
    exported = [getattr(package, name) for name in package.__all__]
    names = [one.__name__ for one in exported if isinstance(one, type) and issubclass(one, Node) and one is not Node]
    return sorted(names, key=str.lower)


def group_of(name: str) -> str:
    """Which group a name belongs to."""
    return next(group for group, names in registered().items() if name in names)


def find(name: str) -> Derivation:
    """The derivation of that name; a preset's is its model's."""
    known = derivations()
    if name in preset_names():
        return known[str(preset(name).settings["model"])]
    if name in known:
        return known[name]
    alike = [own for own in known if _bare(own) == _bare(name)]
    if not alike:
        lower = {_bare(own): own for own in (*reversed(known), *preset_names())}
        hint = nearest(_bare(name), lower, listed=True)
        for bare, own in lower.items():
            hint = hint.replace(f"'{bare}'", f"'{own}'")
        raise InputError(f"'{name}' is nothing that can be explained{hint}; npae explain alone lists what can")
    return known[alike[0]]


def _bare(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def summary(derivation: Derivation) -> str:
    """One line about it, the thing's own: its file's, or its class's where a file holds several."""
    if derivation.name in MODELS:
        return MODELS[derivation.name].summary
    files = [one.of.__module__ for one in derivations().values() if not isinstance(one.of, str)]
    several = not isinstance(derivation.of, str) and files.count(derivation.of.__module__) > 1
    text = derivation.of.__doc__ if several else document(derivation.of)
    return str(text).strip().splitlines()[0].split("      ")[0].rstrip(".:")
