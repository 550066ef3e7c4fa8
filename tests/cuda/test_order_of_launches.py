"""The detector of races that the tests use: what is one, what is none, and what a kernel writes."""

from __future__ import annotations

import numpy as np
import pytest
from races import Order, RaceError, parameters, touched

ARRAY = np.zeros(8)


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
