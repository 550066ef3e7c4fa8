"""What is installed: every package, kernel and preset, and nothing of the tests; from a wheel as from the checkout."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]
BUILT = ("pyproject.toml", "README.md", "LICENSE", "npae", "kernels")


def folders_with_init() -> dict[str, str]:
    """Package name -> folder, for every folder with an __init__.py."""
    found = {}
    for top in ("npae", "kernels"):
        for path in (ROOT / top).rglob("__init__.py"):
            folder = path.parent.relative_to(ROOT).as_posix()
            if not folder.startswith("npae/kernels"):
                found[re.sub(r"^kernels\b", "npae.kernels", folder.replace("/", "."))] = folder
    return found


def test_packages_are_the_folders_with_an_init() -> None:
    listed = SETUPTOOLS["packages"]
    assert sorted(listed) == sorted(folders_with_init())
    assert len(listed) == len(set(listed))


def test_every_folder_of_sources_has_an_init() -> None:
    folders = {path.parent for top in ("npae", "kernels") for path in (ROOT / top).rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_the_kernels_are_mapped_below_npae_one_by_one() -> None:
    expected = {name: folder for name, folder in folders_with_init().items() if name.startswith("npae.kernels")} | {"npae": "npae"}
    assert SETUPTOOLS["package-dir"] == expected
    assert SETUPTOOLS["include-package-data"] is False


def test_the_version_is_said_once_in_effect() -> None:
    import npae

    assert PROJECT["project"]["version"] == npae.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout so that nothing is left in it."""
    if importlib.util.find_spec("setuptools") is None:
        message = "needs setuptools: pip install -e '.[dev]'"
        if os.environ.get("NPAE_REQUIRE_DATA") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    words = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(out)]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("npae-*.whl")
    return built


def test_the_wheel_holds_every_source_and_preset(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    for folder in ("npae", "kernels"):
        for path in (ROOT / folder).rglob("*"):
            place = path.relative_to(ROOT).as_posix()
            if place.startswith("npae/kernels/") or not path.is_file() or "__pycache__" in place:
                continue
            assert re.sub(r"^kernels/", "npae/kernels/", place) in inside, f"{place} is not in the wheel"
    assert "npae/py.typed" in inside
    assert {f"npae/presets/{name}.toml" for name in ("flux-ae", "keras-vae-exact", "adcme-vae", "torch-ae")} <= inside
    assert any(name.endswith("/LICENSE") or name.endswith("/licenses/LICENSE") for name in inside)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    assert {name.split("/")[0] for name in inside} == {"npae", f"npae-{PROJECT['project']['version']}.dist-info"}
    assert not [name for name in inside if {"tests", "bench"} & set(name.split("/")) or "/test_" in name or name.endswith(".pyc")]
    assert len(inside) == len(set(inside))


def test_the_wheel_says_what_it_needs_and_which_command_it_brings(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA"))
        (entry_points,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "npae = npae.cli:main" in entry_points
    for name in ("numpy", "numba", "matplotlib", "scikit-learn", "rich", "safetensors", "pillow"):
        assert re.search(rf"^Requires-Dist: {name}\b", metadata, flags=re.M)
    assert "Requires-Python: >=3.11" in metadata


def test_an_installed_wheel_finds_its_kernels_and_presets(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    words = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target), str(wheel)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    program = (
        "import npae, npae.kernels\n"
        "from npae.kernels.registry import KERNELS, resolve\n"
        "from npae.presets import preset, preset_names\n"
        "print(npae.__file__, npae.kernels.__file__, sep='\\n')\n"
        "print(npae.kernels.pairwise_squared([[0.0, 0.0]], [[3.0, 4.0]], form='reference').item())\n"
        "print(all(resolve(name, 'reference') for name in KERNELS), [preset(name).name for name in preset_names()])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    ran = subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    package, kernels, distance, rest = ran.stdout.splitlines()
    assert Path(package).is_relative_to(target)
    assert Path(kernels).is_relative_to(target)
    assert not (target / "kernels").exists()  # a popular package of that name would be overwritten
    assert float(distance) == 25.0
    presets = ["adcme-vae", "flux-ae", "flux-vae", "flux-wae", "keras-ae", "keras-vae", "keras-vae-exact", "torch-ae"]
    assert rest == f"True {presets}"


def test_the_extras_are_those_of_the_readme() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(extras) == {"gpu", "gpu13", "bench", "dev"}
    assert any(need.startswith("setuptools") for need in extras["dev"])
