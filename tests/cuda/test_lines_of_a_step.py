"""What goes beside what in a step on a GPU: as few launches one after another as the work allows, and none beside one that it needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from races import Order, RaceError, parameters, touched
from strict import StrictDevice

from npae import backend as backends
from npae.captured import CapturedSteps
from npae.kernels.cuda import lane
from npae.kernels.cuda.device import Device, using
from npae.kernels.cuda.lane import Lane
from npae.kernels.cuda.recording import chain_of
from npae.losses import L2, GaussianKL
from npae.models import AE, VAE, WAE, Model
from npae.optim import Adam
from npae.training.configuration import build_model, resolve

FEATURES, ROWS = 784, 40
ARRAY = np.zeros(8)


@pytest.fixture
def strict(compiler: None) -> Iterator[StrictDevice]:
    """Where backend "cupy" computes, on a CPU."""
    backends._instance.cache_clear()
    with using(StrictDevice()) as device:
        yield device
    backends._instance.cache_clear()


def stepped(model: Model, batch: int, **form: bool) -> CapturedSteps:
    """After three steps, of which the last was recorded and replayed."""
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, model.features)).astype(model.dtype)
    steps = CapturedSteps(model, Adam(model.parameters, 1e-3), 0, model.backend.from_host(x), most=4, **form)
    steps.run([rng.permutation(ROWS)[:batch] for _ in range(3)])
    return steps


@pytest.mark.parametrize(
    ("preset", "flags", "launches", "longest"),
    [
        ("flux-ae", {}, 17, 12),
        ("flux-vae", {}, 25, 13),
        ("flux-wae", {}, 30, 15),
        ("vae", {"hidden": [200, 200], "latent": 50, "activation": ["tanh", "tanh"]}, 27, 17),  # the IWAE paper's network
    ],
)
def test_a_step_is_so_many_launches_of_which_so_many_come_one_after_another(
    strict: StrictDevice, preset: str, flags: dict[str, Any], launches: int, longest: int
) -> None:
    settings = resolve(preset, flags={**flags, "backend": "cupy"})
    assert stepped(build_model(settings, FEATURES), 20).chain(20) == (launches, longest)


@pytest.mark.parametrize("kind", [AE, VAE, WAE])
def test_side_by_side_or_in_turn_the_weights_are_the_same_to_the_last_bit(gpu: Device, kind: type[Model]) -> None:
    def weights(side_by_side: bool) -> bytes:
        model = kind(FEATURES, (128,), 8, backend="cupy")
        steps = stepped(model, 20, side_by_side=side_by_side)
        for _ in range(10):
            steps.run([np.arange(20), np.arange(20, 40)])
        launches, longest = steps.chain(20)
        assert (longest < launches) == side_by_side
        return bytes(model.backend.to_host(model.parameters.value).tobytes())

    assert weights(True) == weights(False)


def test_one_who_asks_for_a_gradient_comes_after_those_who_make_it(strict: StrictDevice) -> None:
    class Doubled(AE):
        """Whose author has never heard of lines."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            for name in self.parameters:
                self.parameters[name].grad *= 2

    class Flat(AE):
        """The same through the flat vector."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            self.parameters.grad *= 2

    stepped(Doubled(9, (5,), 2, backend="cupy"), 8)
    stepped(Flat(9, (5,), 2, backend="cupy"), 8)


def test_a_network_that_is_run_again_waits_for_gradients_that_read_what_it_left(strict: StrictDevice) -> None:
    class Twice(AE):
        """Forward and backward, and again: in the second pass the buffers of the first are written anew."""

        def backward(self) -> None:
            """twice"""
            super().backward()
            self.likelihood.forward(self.decoder.forward(self.encoder.forward(self.x)), self.x)
            super().backward()

        def forward(self, x: Any, *others: Any) -> Any:
            """as an AE"""
            self.x = x
            return super().forward(x, *others)

    stepped(Twice(9, (5,), 2, backend="cupy"), 8)


LEFT_OUT = {
    "terms": (VAE, {}, "terms"),
    "the MMD": (WAE, {}, "terms"),
    "zeros": (VAE, {}, "zeros"),
    "penalty": (VAE, {"l2": 0.1}, "penalty"),
    "one of two distances": (WAE, {}, "distance 1"),
    "gradients": (AE, {}, "gradients of odd layers"),
    "the next step's batch": (AE, {}, "batch"),
    "the next step's noise": (VAE, {}, "draw of eps"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_a_join_that_is_left_out_is_noticed(strict: StrictDevice, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    kind, options, line = LEFT_OUT[what]
    join = Order.join
    monkeypatch.setattr(Order, "join", lambda self, lines: join(self, set(lines) - {line}))
    with pytest.raises((RaceError, AssertionError), match=r"touch the same memory, in no order|while a line runs on"):
        stepped(kind(9, (5,), 2, backend="cupy", **options), 8)


def test_a_term_that_is_read_beside_its_line_is_noticed(strict: StrictDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = GaussianKL.forward

    def on_a_line(self: GaussianKL, mu: Any, s: Any) -> Any:
        with self.backend.beside("terms"):
            value = forward(self, mu, s)
        return value + 1.0

    monkeypatch.setattr(GaussianKL, "forward", on_a_line)
    monkeypatch.setattr(L2, "forward", lambda self: 0.0)
    with pytest.raises(RaceError, match="add on line '' and gaussian_kl_log_std on line 'terms' touch the same memory, in no order"):
        stepped(type("Alone", (VAE,), {"regularisers": _alone})(9, (5,), 2, backend="cupy"), 8)


def _alone(self: VAE, mu: Any, s: Any, step: int | None) -> Any:
    self.beta_now = 1.0
    return {"kl": self.kl.forward(mu, s)}, {"kl": 1.0}


# ---- the detector itself


def test_two_launches_on_two_lines_race_where_one_writes_what_the_other_touches() -> None:
    for reads, writes, races in (([ARRAY], [], False), ([], [ARRAY], True), ([ARRAY[2:4]], [], False), ([], [ARRAY[2:4]], True)):
        order = Order()
        with order.beside("a"):
            order.touch("one", [ARRAY], [])
        if races:
            with pytest.raises(RaceError, match="two on line '' and one on line 'a'"):
                order.touch("two", reads, writes)
        else:
            order.touch("two", reads, writes)


def test_what_a_fork_or_a_join_orders_is_no_race() -> None:
    order = Order()
    order.touch("before", [], [ARRAY])
    with order.beside("a"):
        order.touch("one", [ARRAY], [ARRAY])
        with order.beside("b"):
            order.touch("nested", [ARRAY], [ARRAY])
        order.join({"b"})
        order.touch("after it", [ARRAY], [ARRAY])
    order.touch("elsewhere", [], [np.zeros(3)])
    order.join({"a"})
    order.touch("last", [ARRAY], [ARRAY])
    assert (order.launches, order.longest) == (6, 5)


def test_a_line_that_was_joined_once_is_not_joined_for_what_it_does_later() -> None:
    order = Order()
    with order.beside("a"):
        order.touch("one", [], [ARRAY])
    order.join({"a"})
    with order.beside("a"):
        order.touch("two", [], [ARRAY])
    with pytest.raises(RaceError, match="three on line '' and two on line 'a'"):
        order.touch("three", [ARRAY], [])


def test_memory_that_is_freed_too_early_may_be_given_to_another() -> None:
    for joined in (False, True):
        order, passing = Order(), np.zeros(8)
        order.touch("made", [], [passing])
        with order.beside("a"):
            order.touch("one", [passing], [])
        with order.beside("b"):
            order.touch("elsewhere", [], [np.zeros(3)])  # b has memory of its own
        if joined:
            order.join({"a"})
        del passing
        if joined:
            order.touch("next", [], [ARRAY])
        else:
            with pytest.raises(RaceError, match="next on line '' may be given memory that one on line 'a' touches"):
                order.touch("next", [], [ARRAY])


def test_neighbours_in_memory_do_not_race() -> None:
    order = Order()
    with order.beside("a"):
        order.touch("one", [], [ARRAY[:4]])
    order.touch("two", [], [ARRAY[4:]])


def test_what_a_kernel_writes_is_told_from_its_own_parameters() -> None:
    assert parameters("squared_error/squared_error.cu", "squared_error")[:2] == ("const REAL* y", "const REAL* x")
    assert "double *found" in parameters("mmd/mmd.cu", "rbf_tiles")[-1]
    y, x, dy, partials, ticket, value = (np.full(2, float(k)) for k in range(6))
    arguments = (y, x, np.uint64(0), np.float64(1), dy, np.int64(2), partials, ticket, value)
    reads, writes = touched("squared_error/squared_error.cu", "squared_error", arguments)
    assert [array[0] for array in reads] == [0, 1]
    assert [array[0] for array in writes] == [2, 3, 4, 5]


# ---- CuPy's streams, events and graphs


def test_a_graph_that_is_drawn_says_how_many_launches_follow_one_another() -> None:
    drawn = """digraph dot {
    subgraph cluster_1 {
    label="graph_1" graph[style="dashed"];
    "graph_1_node_0"[style="solid" shape="rectangle" label="0
    MEMSET"];
    "graph_1_node_1"[style="bold" shape="octagon" label="1
    affine"];
    "graph_1_node_2"[style="bold" shape="octagon" label="2
    squared_error"];
    "graph_1_node_3"[style="bold" shape="octagon" label="3
    adam"];
    "graph_1_node_1" -> "graph_1_node_2" [headlabel=0];
    "graph_1_node_2" -> "graph_1_node_3";
    "graph_1_node_1" -> "graph_1_node_3";
    "graph_1_node_0" -> "graph_1_node_3";
    }
    }"""
    assert chain_of(drawn) == (4, 3)
    assert chain_of("digraph dot {}") == (0, 0)


class FakeCupy:
    """Streams and events that write down who waits for what."""

    def __init__(self) -> None:
        self.cuda, self.said, self.current = self, list[str](), list[Any]()
        self.Stream, self.Event, self.MemoryPool = lambda non_blocking: FakeStream(self), lambda disable_timing: FakeEvent(), object
        self.streams = 0

    def get_current_stream(self) -> Any:
        return self.current[-1]


class FakeEvent:
    """Remembers the stream that it marks."""

    def record(self, stream: Any) -> None:
        self.marks = stream


class FakeStream:
    """A number."""

    def __init__(self, cupy: FakeCupy) -> None:
        self.cupy, self.number = cupy, cupy.streams
        cupy.streams += 1

    def wait_event(self, event: FakeEvent) -> None:
        self.cupy.said.append(f"{self.number} after {event.marks.number}")

    def begin_capture(self) -> None:
        self.cupy.said.append("begin")

    def end_capture(self) -> str:
        self.cupy.said.append("end")
        return "graph"

    def synchronize(self) -> None:
        """Nothing is under way."""

    def __enter__(self) -> None:
        self.cupy.current.append(self)

    def __exit__(self, *error: object) -> None:
        self.cupy.current.pop()


def test_a_line_is_a_stream_that_waits_for_the_one_it_leaves_and_is_waited_for_where_it_is_joined() -> None:
    cupy = FakeCupy()
    entered = Lane(cupy)
    cupy.current.append(entered.stream)
    with entered.entered():
        with lane.beside("a"):
            with lane.beside("b"):
                assert not entered.is_main()
                lane.settle("a")  # on a line: nothing
            lane.join("b")
            lane.join("a")  # itself: nothing
        assert cupy.said == ["1 after 0", "2 after 1", "1 after 2"]
        assert entered.under_way == {"a", "b"}  # nobody has joined a, and b only on a
        cupy.said.clear()
        lane.settle("a", "never begun")
        lane.join()
        assert cupy.said == ["0 after 1", "0 after 2"]
        assert not entered.under_way
        with lane.beside("a"):
            pass
        assert cupy.said[2:] == ["1 after 0"]


def test_a_recording_that_fails_is_ended_and_says_why_it_failed() -> None:
    cupy = FakeCupy()
    entered = Lane(cupy)
    cupy.current.append(entered.stream)

    def fails() -> None:
        with lane.beside("a"):
            raise ZeroDivisionError("the reason")

    with entered.entered():
        assert entered.record(lambda: None).graph == "graph"
        with pytest.raises(ZeroDivisionError, match="the reason"):
            entered.record(fails)
    assert cupy.said == ["begin", "end", "begin", "1 after 0", "0 after 1", "end"]  # CUDA ends no recording with a line that runs on


def test_a_lane_is_that_of_the_thread_that_has_entered_it() -> None:
    cupy = FakeCupy()
    entered = Lane(cupy)
    cupy.current.append(entered.stream)

    def elsewhere() -> None:
        with lane.beside("a"):
            lane.join()

    with entered.entered():
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert not cupy.said


def test_outside_of_a_lane_all_is_launched_in_turn(device: Device) -> None:
    with lane.beside("a"):
        made = device.xp.ones(3)
    lane.join("a")
    lane.join()
    lane.settle("a")
    assert float(made.sum()) == 3.0
