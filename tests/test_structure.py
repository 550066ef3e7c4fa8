"""The house rules that a program can read off the sources: floors of imports, docstrings, names, and what is never written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for top in ("npae", "kernels") for path in (ROOT / top).rglob("*.py") if "npae/kernels/" not in path.as_posix())
MODULES = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES}
MODULES = {path: re.sub(r"^kernels\b", "npae.kernels", name) for path, name in MODULES.items()}
TESTED = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]

FLOORS = (  # imports only go down; within a floor they may go sideways
    ("errors",),
    ("kernels",),
    ("backend", "parameters", "noise", "corruption"),
    ("layers", "losses"),
    ("models", "optim", "data"),
    ("compiled", "captured"),
    ("presets", "training", "evaluation", "inspection"),
    ("claims",),
    ("figures", "estimators", "explain"),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}


class Import(NamedTuple):
    """One import: in which line, of what, inside a function or not, for the type checker alone or not."""

    line: int
    name: str
    in_function: bool
    for_types: bool


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of npae's own modules, wherever it stands, and whatever is imported by name at run time."""

    def visit(node: ast.AST, in_function: bool, for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(child.lineno, alias.name, in_function, for_types) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{path}:{child.lineno}: a relative import"
                for alias in child.names:
                    yield Import(child.lineno, f"{child.module}.{alias.name}", in_function, for_types)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from visit(child, True, for_types)
            elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                yield from visit(child, in_function, True)
            else:
                yield from visit(child, in_function, for_types)

    return visit(ast.parse(path.read_text()), False, False)


def part_of(name: str) -> str | None:
    """`layers` of npae.layers.dense; None for what is not ours, and for the package itself."""
    words = name.split(".")
    return words[1] if words[0] == "npae" and len(words) > 1 and words[1] in FLOOR_OF else None


def test_every_part_has_a_floor() -> None:
    parts = {name.split(".")[1] for name in MODULES.values() if "." in name}
    assert parts <= set(FLOOR_OF), f"without a floor: {parts - set(FLOOR_OF)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_imports_only_go_down(path: Path) -> None:
    """Also those inside a function: they would be the way round this test."""
    own = part_of(MODULES[path] + ".")
    if own is None:  # npae/__init__.py: the face of all floors, which imports when a name is first used
        return
    upward = [one for one in imports_of(path) if (part := part_of(one.name)) and FLOOR_OF[part] > FLOOR_OF[own]]
    assert not upward, "\n".join(f"{path}:{one.line}: {own} imports {one.name}" for one in upward)


def test_the_package_itself_imports_nothing_of_ours_at_run_time() -> None:
    assert [one.name for one in imports_of(ROOT / "npae" / "__init__.py") if not one.for_types and one.name.startswith("npae")] == []


SIDEWAYS = {  # folders of one floor that may read one another, and the others of it that may not
    "layers": ("losses",),
    "optim": ("models", "data"),
    "data": ("models", "optim"),
    "models": ("data", "optim"),
}


@pytest.mark.parametrize("part", SIDEWAYS)
def test_neighbours_on_a_floor_keep_apart(part: str) -> None:
    for path in SOURCES:
        if part_of(MODULES[path] + ".") == part:
            for one in imports_of(path):
                assert part_of(one.name) not in SIDEWAYS[part], f"{path}:{one.line}: {part} imports {one.name}"


def test_presets_read_nothing_but_errors() -> None:
    for path in SOURCES:
        if part_of(MODULES[path] + ".") == "presets":
            assert {part_of(one.name) for one in imports_of(path)} <= {None, "errors", "presets"}


def roots_at_import(path: Path) -> set[str]:
    """The libraries that importing this module loads by itself."""
    return {one.name.split(".")[0] for one in imports_of(path) if not one.in_function and not one.for_types}


COMPILED = re.compile(
    r"^npae\.kernels\.(jit|code_cache|elementary|tiles|blocks|threads|.*\.cpu|order_statistic\.masks|step\.(?!codes|operations)\w+)$"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_costly_libraries_are_imported_only_where_they_are_needed(path: Path) -> None:
    name, roots = MODULES[path], roots_at_import(path)
    if not COMPILED.match(name):
        assert "numba" not in roots
    if not name.startswith("npae.figures"):
        assert "matplotlib" not in roots
    assert not roots & {"cupy", "sklearn", "PIL", "torch", "jax", "pandas"}


CALLS = {"pickle": "Nothing is ever unpickled", "dill": "Nothing is ever unpickled", "joblib": "it pickles", "shelve": "it pickles"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_nothing_is_unpickled_and_pyplot_is_not_used(path: Path) -> None:
    for one in imports_of(path):
        assert one.name.split(".")[0] not in CALLS, f"{path}:{one.line}: {one.name}"
        assert "pyplot" not in one.name, f"{path}:{one.line}: pyplot has global state; use matplotlib.figure.Figure"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant), f"{path}:{node.value.lineno}: allow_pickle that is not plainly False"
            assert node.value.value is False, f"{path}:{node.value.lineno}: allow_pickle=True"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
            assert any(keyword.arg == "allow_pickle" for keyword in node.keywords), (
                f"{path}:{node.lineno}: np.load without allow_pickle=False"
            )
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec"):
            raise AssertionError(f"{path}:{node.lineno}: {ast.unparse(node.func)}")


def undocumented(path: Path) -> Iterator[str]:
    """Public modules, classes, functions and methods that have no docstring."""
    tree = ast.parse(path.read_text())
    if not ast.get_docstring(tree):
        yield f"{path}: the module"

    def visit(node: ast.AST, where: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or child.name.startswith("_"):
                continue
            if not ast.get_docstring(child):
                yield f"{path}:{child.lineno}: {where}{child.name}"
            if isinstance(child, ast.ClassDef):
                yield from visit(child, f"{child.name}.")

    yield from visit(tree, "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_everything_public_has_a_docstring(path: Path) -> None:
    assert not list(undocumented(path))


VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"}


@pytest.mark.parametrize("path", TESTED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_has_a_name_that_says_nothing(path: Path) -> None:
    assert not VAGUE & set(re.split(r"[_.]", path.stem)), path
    assert not VAGUE & set(path.relative_to(ROOT).parts), path


LEFT_BEHIND = re.compile(r"(?<![\w./-])/(?:work|home|root|Users|tmp)/\w")
TEXTS = [path for path in TESTED if path != Path(__file__)] + [
    path
    for pattern in ("*.md", "*.toml", ".ci/*", "npae/presets/*.toml", "docs/**/*.md", ".github/**/*.yml")
    for path in sorted(ROOT.glob(pattern))
    if path.is_file()
]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_names_a_path_of_one_machine(path: Path) -> None:
    found = [f"{path}:{number}: {line.strip()}" for number, line in enumerate(path.read_text().splitlines(), 1) if LEFT_BEHIND.search(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_nothing_is_left_to_be_done(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: MODULES[path])
def test_annotations_are_not_evaluated_where_there_are_any(path: Path) -> None:
    text = path.read_text()
    assert "from __future__ import annotations" in text or not re.search(r"^ *(def|class) ", text, flags=re.M)


def test_the_link_to_the_kernels_is_relative() -> None:
    link = ROOT / "npae" / "kernels"
    assert link.is_symlink()
    assert link.readlink() == Path("../kernels")


def test_the_names_of_test_files_are_unique() -> None:
    """pytest imports them by their bare name."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
