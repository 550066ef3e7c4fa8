"""npae at a terminal, driven through a pseudo-terminal as a person would, and in a pipe, as a log file would have it; completion; quiet."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.cli import VERBS

PATIENCE = 60.0  # seconds that a person waits
NPAE = (sys.executable, "-c", "import sys; from npae.cli import main; sys.exit(main())")


class Terminal:
    """A program in a terminal of its own: what it shows, and keys for it."""

    def __init__(self, *words: str, **variables: str) -> None:
        self.screen, ours = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "NPAE_BACKEND")}
        environment |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **variables}
        self.process = subprocess.Popen(
            [*NPAE, *words], stdin=ours, stdout=ours, stderr=ours, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(ours)
        self.shown = ""

    def see(self, wanted: str) -> str:
        """Watch until this pattern is on the screen; what it matched."""
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(wanted, self.shown)) is None:
            assert time.monotonic() < deadline, self.shown
            assert self._more(), self.shown
        return found[0]

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.screen, keys)

    def end(self) -> int:
        """Watch until it ends; its exit status."""
        while self._more():
            pass
        os.close(self.screen)
        return self.process.wait(PATIENCE)

    def _more(self) -> bool:
        """Whether there will be more to see."""
        ready, _, _ = select.select([self.screen], [], [], PATIENCE)
        assert ready, f"nothing happens: {self.shown}"
        try:
            text = os.read(self.screen, 4096)
        except OSError:  # how Linux says that nobody has the terminal open any more
            return False
        self.shown += text.decode()
        return bool(text)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """terminal("train", ...): starts npae there; what is left of it is ended."""
    started: list[Terminal] = []

    def start(*words: str, **variables: str) -> Terminal:
        started.append(Terminal(*words, **variables))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def rows() -> str:
    """A small file of data in the test's folder."""
    np.save("rows.npy", np.random.default_rng(0).random((40, 6), np.float32))
    return "rows.npy"


def training(rows: str, *more: str) -> list[str]:
    """The words of a small training."""
    return [
        "train",
        "ae",
        "--data",
        rows,
        "--hidden",
        "4",
        "--latent",
        "2",
        "--backend",
        "numpy",
        "--batch-size",
        "5",
        "--no-figures",
        *more,
    ]


def test_a_person_trains_watches_presses_ctrl_c_and_goes_on(terminal: Callable[..., Terminal], rows: str, npae: Any) -> None:
    first = terminal(*training(rows, "--epochs", "1000000", "--out", "run"))
    early = first.see(r"epoch (\d+)/1000000  total [\d.]+")
    first.see(rf"epoch (?!{early.split()[1].split('/')[0]}/)\d+/1000000")  # it moves
    first.see("%")
    first.press(b"\x03")
    assert first.end() == 130
    assert "npae train --resume run" in first.shown
    assert "Traceback" not in first.shown
    done = json.loads(Path("run/checkpoint/last.json").read_text())["epoch"]
    second = terminal("train", "--resume", "run", "--epochs", str(done + 3), "--no-figures")
    assert second.end() == 0
    assert f"run: {done + 3} epochs" in second.shown
    assert len(Path("run/history.jsonl").read_text().splitlines()) == done + 3
    assert npae("verify", "run").status == 0


def test_progress_in_a_log_file_is_plain_lines(rows: str) -> None:
    done = subprocess.run([*NPAE, *training(rows, "--epochs", "3", "--out", "run")], capture_output=True, check=True)
    assert [line.split()[1] for line in done.stderr.decode().splitlines()] == ["1/3", "2/3", "3/3"]
    for text in (done.stdout, done.stderr):
        assert b"\r" not in text
        assert b"\x1b" not in text


COLOUR = re.compile(r"\x1b\[[\d;]*[1-9][\d;]*m")


@pytest.mark.parametrize("words", [("explain", "dense"), ("data", "list")])
def test_colours_are_for_terminals_and_not_where_nobody_wants_them(words: tuple[str, ...], terminal: Callable[..., Terminal]) -> None:
    plain = subprocess.run([*NPAE, *words], capture_output=True, check=True, text=True)
    assert "\x1b" not in plain.stdout + plain.stderr
    wanted, unwanted = terminal(*words), terminal(*words, NO_COLOR="1")
    assert (wanted.end(), unwanted.end()) == (0, 0)
    assert not re.search(r"\x1b\[(\d+;)*(3[0-7]|9[0-7]|38|48|4[0-7])", unwanted.shown)
    if words[0] == "explain":
        assert COLOUR.search(wanted.shown)


# ---- help


def test_npae_alone_shows_the_five_commands_that_a_newcomer_needs(npae: Any) -> None:
    said = npae()
    assert (said.status, said.err) == (0, "")
    commands = re.findall(r"^  npae (\S+)", said.out, flags=re.M)
    assert len(commands) == 5
    assert set(commands) <= set(VERBS)
    assert "npae --help" in said.out


def test_the_help_says_what_the_exit_statuses_mean(npae: Any) -> None:
    said = npae("--help").out
    assert re.search(r"0 done, 1 a check failed.*, 2 bad input.*, 130 interrupted", said)


# ---- quiet


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_quiet(verb: str, npae: Any) -> None:
    assert re.search(r"^  --quiet +\S", npae(verb, "--help").out, flags=re.M)


def test_a_quiet_verb_prints_nothing_but_errors_and_json(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    assert npae("verify", folder, "--quiet") == (0, "", "")
    assert json.loads(npae("verify", folder, "--quiet", "--json").out)
    (folder / "history.jsonl").write_text("")
    assert npae("verify", folder, "--quiet") == (1, "", "")
    said = npae("verify", "nowhere", "--quiet")
    assert (said.status, said.out) == (2, "")
    assert "nowhere" in said.err


# ---- completion


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What npae completion bash prints."""
    path = tmp_path_factory.mktemp("completion") / "npae"
    path.write_text(subprocess.run([*NPAE, "completion", "bash"], capture_output=True, check=True, text=True).stdout)
    return path


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(map(shlex.quote, words))
    asked = f"source {shlex.quote(str(script))}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _npae"
    done = subprocess.run(
        ["bash", "--norc", "-c", asked + '; printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, check=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split()


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@needs_bash
def test_bash_completes_verbs_options_choices_and_models(script: Path) -> None:
    assert set(completed(script, "npae", "")) == {*VERBS, "--help", "--version"}
    assert completed(script, "npae", "gen") == ["generate"]
    assert completed(script, "npae", "train", "--ba") == ["--batch-size", "--backend"]
    assert completed(script, "npae", "train", "--backend", "num") == ["numpy", "numba"]
    assert completed(script, "npae", "train", "v") == ["vae"]
    assert completed(script, "npae", "train", "--data", "fash") == ["fashion-mnist"]
    assert completed(script, "npae", "train", "--set", "schedu") == ["schedule="]
    assert completed(script, "npae", "train", "--set", "schedule", "=", "cos") == ["cosine"]
    assert completed(script, "npae", "verify", "--q") == ["--quiet"]
    assert completed(script, "npae", "train", "--epochs", "") == []


@needs_bash
def test_bash_completes_run_folders_and_runs_nothing_that_their_names_say(script: Path) -> None:
    for name in ("runs/vae-digits", "runs/ae-digits", "runs/$(touch made)", "runs/none"):
        Path(name).mkdir(parents=True)
        if name != "runs/none":
            Path(name, "config.toml").write_text("")
    assert completed(script, "npae", "evaluate", "runs/v") == ["runs/vae-digits"]
    assert "runs/ae-digits" in completed(script, "npae", "train", "--resume", "")
    assert "runs/none" not in completed(script, "npae", "evaluate", "runs/")
    assert not Path("made").exists()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_of_every_verb_and_option_of_train(shell: str, npae: Any) -> None:
    said = npae("completion", shell)
    assert (said.status, said.err) == (0, "")
    for word in (*VERBS, "batch-size", "numba", "fashion-mnist"):
        assert word in said.out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=said.out, check=True, text=True)
