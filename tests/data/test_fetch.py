"""Downloads, from a server on this machine: mirrors, checksums, bodies cut off, and what a failed download leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from npae.data import load
from npae.data.catalogue import CATALOGUE, Entry
from npae.data.fetch import fetch
from npae.data.find import cache_folder
from npae.errors import InputError

TRAIN = "train-images-idx3-ubyte.gz"
DEAD = "http://127.0.0.1:9/"  # the discard port: nothing listens


@dataclass
class Site:
    """What the server serves, what it was asked for, and its address; `cut` promises a whole body and sends half of it."""

    url: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def __init__(self, site: Site, *arguments: object) -> None:
        self.site = site
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.site.asked.append(path)
        if path not in self.site.bodies:
            self.send_error(404)
            return
        body = self.site.bodies[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if path in self.site.cut else body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The test's output stays quiet."""


@pytest.fixture
def site(tiny: Entry, tiny_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server with two mirrors, good/ and bad/; the data set `tiny` comes from good/ until a test says otherwise."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site(bodies={f"good/{name}": body for name, body in tiny_files.items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site))
    site.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    _mirrors(monkeypatch, site.url + "good/")
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def _mirrors(monkeypatch: pytest.MonkeyPatch, *mirrors: str) -> None:
    monkeypatch.setitem(CATALOGUE, "tiny", replace(CATALOGUE["tiny"], mirrors=mirrors))


def test_a_download_puts_every_file_into_the_cache_byte_for_byte(site: Site, tiny_files: dict[str, bytes]) -> None:
    folder = fetch("tiny")
    assert folder == cache_folder("tiny")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == tiny_files


def test_load_downloads_what_is_missing_and_says_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert load("tiny").train.shape == (20, 12)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("npae: downloading") == 4
    site.asked.clear()
    load("tiny")
    assert site.asked == []
    assert capsys.readouterr().err == ""


def test_a_whole_file_is_not_downloaded_again_and_a_damaged_one_is_replaced(site: Site, tiny_files: dict[str, bytes]) -> None:
    folder = fetch("tiny")
    (folder / TRAIN).write_bytes(tiny_files[TRAIN][:-1] + b"?")
    site.asked.clear()
    fetch("tiny")
    assert site.asked == [f"good/{TRAIN}"]
    assert (folder / TRAIN).read_bytes() == tiny_files[TRAIN]


@pytest.mark.parametrize("harm", ["checksum", "cut off", "short", "long", "missing", "dead"])
def test_the_next_mirror_is_tried_when_one_fails(
    site: Site, tiny_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    _harm(site, tiny_files, harm)
    _mirrors(monkeypatch, DEAD if harm == "dead" else site.url + "bad/", site.url + "good/")
    folder = fetch("tiny")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == tiny_files


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("checksum", r"SHA-256 \w{64}, expected \w{64}"),
        ("cut off", r"only \d+ bytes came, expected \d+|IncompleteRead.*"),
        ("short", r"only \d+ bytes came, expected \d+"),
        ("long", r"more bytes came, expected \d+"),
        ("missing", "HTTP Error 404: Not Found"),
        ("dead", r".*refused.*"),
    ],
)
def test_when_no_mirror_works_each_is_named_with_its_reason_and_nothing_is_left(
    site: Site, tiny_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, harm: str, reason: str
) -> None:
    _harm(site, tiny_files, harm)
    first, second = (DEAD, DEAD + "again/") if harm == "dead" else (site.url + "bad/", site.url + "bad/")
    _mirrors(monkeypatch, first, second)
    with pytest.raises(InputError, match=rf"\({first}{TRAIN}: ({reason}); {second}{TRAIN}: ({reason})\); .*set NPAE_DATA_DIR") as caught:
        fetch("tiny")
    assert "\n" not in str(caught.value)
    assert not cache_folder("tiny").exists()


def _harm(site: Site, tiny_files: dict[str, bytes], harm: str) -> None:
    """The mirror bad/ does this to every file."""
    change: dict[str, Callable[[bytes], bytes]] = {
        "checksum": lambda body: body[:-1] + bytes([body[-1] ^ 1]),
        "cut off": lambda body: body,
        "short": lambda body: body[:-1],
        "long": lambda body: body + bytes(1000),
    }
    if harm in change:
        site.bodies |= {f"bad/{name}": change[harm](body) for name, body in tiny_files.items()}
    if harm == "cut off":
        site.cut |= {f"bad/{name}" for name in tiny_files}


def test_progress_goes_from_nothing_to_the_whole_file(site: Site, tiny_files: dict[str, bytes]) -> None:
    seen: list[tuple[str, int, int]] = []
    fetch("tiny", progress=lambda file, done, total: seen.append((file, done, total)))
    for name, body in tiny_files.items():
        steps = [done for file, done, total in seen if file == name and total == len(body)]
        assert steps[0] == 0
        assert steps[-1] == len(body)
        assert steps == sorted(steps)


def test_offline_refuses_to_download_but_not_to_read_what_is_here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPAE_OFFLINE", "1")
    with pytest.raises(
        InputError, match=r"'tiny' is not on this machine and NPAE_OFFLINE=1 forbids downloads; unset it, or set NPAE_DATA_DIR"
    ):
        load("tiny")
    assert site.asked == []
    monkeypatch.setenv("NPAE_OFFLINE", "0")
    fetch("tiny")
    monkeypatch.setenv("NPAE_OFFLINE", "1")
    assert load("tiny").train.shape == (20, 12)
    assert fetch("tiny") == cache_folder("tiny")


def test_a_cache_that_cannot_be_written_is_named(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\).*XDG_CACHE_HOME"):
        fetch("tiny")


def test_a_write_that_fails_leaves_no_file_behind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("npae.data.fetch.os.replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        fetch("tiny")
    assert list(cache_folder("tiny").iterdir()) == []


def test_digits_have_nothing_to_fetch() -> None:
    with pytest.raises(InputError, match="'digits' is always here"):
        fetch("digits")
