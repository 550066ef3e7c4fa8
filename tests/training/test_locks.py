"""Two trainings in one folder refuse each other; a lock whose holder is gone is nobody's."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from npae.errors import InputError
from npae.training.lock import NAME, holder_of, locked


def hold(folder: str) -> None:
    """Hold the lock until killed."""
    with locked(Path(folder)):
        time.sleep(60)


def test_a_second_training_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert json.loads((tmp_path / NAME).read_text()) == {"pid": os.getpid(), "host": socket.gethostname()}
        with (
            pytest.raises(InputError, match=rf"process {os.getpid()} on .* is training here; wait for it, or give another --out"),
            locked(tmp_path),
        ):
            raise AssertionError
        assert holder_of(tmp_path) == f"process {os.getpid()} on {socket.gethostname()}"
    assert not list(tmp_path.iterdir())
    assert holder_of(tmp_path) is None
    with locked(tmp_path):
        pass


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), locked(tmp_path):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_process_that_was_killed_is_stale(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(str(tmp_path),))
    process.start()
    assert process.pid is not None
    deadline = time.monotonic() + 60
    while holder_of(tmp_path) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holder_of(tmp_path) == f"process {process.pid} on {socket.gethostname()}"
    with pytest.raises(InputError, match=str(process.pid)), locked(tmp_path):
        raise AssertionError
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert json.loads((tmp_path / NAME).read_text())["pid"] == process.pid  # it had no time to take its lock away
    assert holder_of(tmp_path) is None
    with locked(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_a_process_number_that_is_used_again_does_not_make_a_stale_lock_fresh(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\x00"])
def test_a_lock_that_was_not_filled_in_time_is_stale(content: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(content)
    assert holder_of(tmp_path) is None
    with locked(tmp_path):
        pass


def test_the_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(InputError, match=rf"process 1 on elsewhere .* remove {tmp_path / NAME}"), locked(tmp_path):
        raise AssertionError
    assert holder_of(tmp_path) == "process 1 on elsewhere"
    assert json.loads((tmp_path / NAME).read_text())["pid"] == 1
