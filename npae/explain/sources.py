"""What the code says of itself: a module's docstring, and the source lines of forward beside those of backward.

    document(of)      the docstring of the file, which holds formula, gradient and source
    sides(of)         pieces of source: forward and backward; of a kernel its reference, its compiled form, the launcher and the CUDA files
    kernels_of(of)    the kernels that a node calls

`of` is a class, or a kernel's name.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import textwrap
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from npae.kernels.cuda.source import every_source
from npae.kernels.registry import KERNELS
from npae.losses import Bandwidth
from npae.optim import Adam

METHODS: dict[type, tuple[str, str]] = {Adam: ("coefficients", "update"), Bandwidth: ("value", "backward")}


@dataclass(frozen=True)
class Source:
    """Source lines: what they are, where they stand, the text, and its language as Pygments calls it."""

    title: str
    place: str
    text: str
    language: str = "python"


def document(of: Any) -> str:
    """The docstring of the file that holds it."""
    module = KERNELS[of].reference.rpartition(".reference")[0] if isinstance(of, str) else of.__module__
    return inspect.cleandoc(importlib.import_module(module).__doc__ or "")


def sides(of: Any) -> tuple[Source, ...]:
    """forward and backward, or what takes their place."""
    if isinstance(of, str):
        return *(_form(form, place) for form, place in KERNELS[of].forms.items()), *_cuda(KERNELS[of].reference)
    forward, backward = METHODS.get(of, ("forward", "backward"))
    return _method(of, forward), _method(of, backward)


def kernels_of(of: Any) -> list[str]:
    """The kernels that the class names in its source."""
    if isinstance(of, str):
        return []
    called = re.findall(r'kernel\(f?"(\w+)', inspect.getsource(of))
    return [name for name in KERNELS if any(name == one or (one.endswith("_") and name.startswith(one)) for one in called)]


def _method(of: type, name: str) -> Source:
    function = inspect.unwrap(getattr(of, name))
    lines, number = inspect.getsourcelines(function)
    return Source(name, f"{_path(function.__module__)}:{number}", textwrap.dedent("".join(lines)).rstrip())


def _form(form: str, place: str) -> Source:
    """A kernel's form, read from its file: a compiled function is not imported for being looked at."""
    module, _, name = place.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None
    text = Path(str(spec.origin)).read_text()
    found = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
    first = min([found.lineno, *(decorator.lineno for decorator in found.decorator_list)])
    lines = text.splitlines()[first - 1 : found.end_lineno]
    return Source(form, f"{_path(module)}:{first}", "\n".join(lines))


def _cuda(reference: str) -> tuple[Source, ...]:
    """The CUDA files beside a kernel's reference."""
    folder = reference.split(".")[2]
    names = [name for name in every_source() if name.startswith(f"{folder}/")]
    return tuple(Source("cuda", f"npae/kernels/{name}:1", _text_of(name), "cuda") for name in names)


def _text_of(name: str) -> str:
    return files("npae.kernels").joinpath(name).read_text("utf-8").rstrip()


def _path(module: str) -> str:
    return module.replace(".", "/") + ".py"
