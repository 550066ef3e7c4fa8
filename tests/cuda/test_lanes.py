"""Lanes over CuPy's streams, events and graphs, with a CuPy that writes down who waits for what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from npae.kernels.cuda import lane
from npae.kernels.cuda.device import Device
from npae.kernels.cuda.lane import Lane
from npae.kernels.cuda.recording import chain_of


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


def made() -> tuple[FakeCupy, Lane]:
    """A lane, and its stream the current one."""
    cupy = FakeCupy()
    lane_of_its_own = Lane(cupy)
    cupy.current.append(lane_of_its_own.stream)
    return cupy, lane_of_its_own


def test_a_line_is_a_stream_that_waits_for_the_one_it_leaves_and_is_waited_for_where_it_is_joined() -> None:
    cupy, entered = made()
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
    cupy, entered = made()

    def fails() -> None:
        with lane.beside("a"):
            raise ZeroDivisionError("the reason")

    with entered.entered():
        assert entered.record(lambda: None).graph == "graph"
        with pytest.raises(ZeroDivisionError, match="the reason"):
            entered.record(fails)
    assert cupy.said == ["begin", "end", "begin", "1 after 0", "0 after 1", "end"]  # CUDA ends no recording with a line that runs on


def test_a_lane_is_that_of_the_thread_that_has_entered_it() -> None:
    cupy, entered = made()

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
