"""The README is true: its commands and its Python run as written, its files exist, its test command is CI's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/npae train vae"
TEST = ".venv/bin/python -m pytest"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def _commands() -> list[str]:
    """The npae commands, in order; what installs is CI's own first step."""
    lines = [part.strip() for block in _blocks("sh") for line in block.splitlines() for part in line.split("#")[0].split("&&")]
    return [line.removeprefix(".venv/bin/npae").strip() for line in lines if line.startswith(".venv/bin/npae")]


def test_the_two_commands_are_there_as_promised() -> None:
    first = _blocks("sh")[0].splitlines()
    assert first == [INSTALL, TEST]


def test_ci_installs_and_tests_as_the_readme_says() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    assert "install" in ci
    assert "-e '.[dev]'" in ci
    assert TEST in ci.splitlines()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all commands, since a later one reads what an earlier one left."""
    return tmp_path_factory.mktemp("readme")


def test_every_npae_command_of_the_readme_runs(elsewhere: Path) -> None:
    commands = _commands()
    assert any(command.startswith("train vae") for command in commands)
    for command in commands:
        line = [sys.executable, "-m", "npae", *shlex.split(command)]
        done = subprocess.run(line, cwd=elsewhere, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"npae {command}: {done.stderr}"
    assert (elsewhere / "runs" / "vae-digits" / "figures" / "reconstructions.png").is_file()


def test_the_python_of_the_readme_runs(elsewhere: Path) -> None:
    (program,) = _blocks("python")
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "passed" in done.stdout
    assert (elsewhere / "vae.safetensors").is_file()


def test_every_file_that_the_readme_names_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    paths = re.findall(r"`((?:layers|losses|models|kernels|training|tests|bench)/[\w/.-]+\.(?:py|json))`", README)
    assert len(links) > 10
    for link in [*links, *paths]:
        found = [root / link for root in (ROOT, ROOT / "npae") if (root / link).exists()]
        assert found, f"README names {link}, which is not there"
