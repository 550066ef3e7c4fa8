"""Each schedule's factor at its start, in the middle and at its end, and the warm-up before it."""

from __future__ import annotations

import math

import pytest

from npae.errors import InputError
from npae.optim import SCHEDULES, Schedule

# name -> factors at t = 0, 25, 50, 75, 99 of 100 steps with decay 0.1
FACTORS: dict[str, tuple[float, float, float, float, float]] = {
    "constant": (1, 1, 1, 1, 1),
    "linear": (1, 0.75, 0.5, 0.25, 0.01),
    "cosine": (1, 0.8535533905932737, 0.5, 0.14644660940672624, 0.00024671981713420017),
    "exponential": (1, 0.5623413251903491, 0.31622776601683794, 0.1778279410038923, 0.10232929922807542),
    "step": (1, 1, 0.1, 0.01, 0.01),
}


def test_every_schedule_is_tried_here() -> None:
    assert set(FACTORS) == set(SCHEDULES)


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_the_factor_follows_the_table(name: str) -> None:
    schedule = Schedule(name, total=100, decay=0.1)
    assert [schedule.factor(t) for t in (0, 25, 50, 75, 99)] == pytest.approx(FACTORS[name], rel=1e-12)


def test_the_steps_fall_at_a_third_and_at_two_thirds_whatever_the_total() -> None:
    for total in (3, 7, 9, 30, 99, 100, 3000):
        schedule = Schedule("step", total=total, decay=0.5)
        factors = [schedule.factor(t) for t in range(total)]
        assert factors == [0.5 ** (3 * t // total) for t in range(total)], total


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_warm_up_rises_linearly_to_one_and_the_schedule_follows_over_the_steps_left(name: str) -> None:
    schedule = Schedule(name, total=110, warmup=10, decay=0.1)
    assert [schedule.factor(t) for t in range(10)] == pytest.approx([(t + 1) / 10 for t in range(10)])
    plain = Schedule(name, total=100, decay=0.1)
    assert [schedule.factor(10 + t) for t in range(100)] == pytest.approx([plain.factor(t) for t in range(100)])


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_steps_beyond_the_total_neither_rise_nor_go_below_zero(name: str) -> None:
    schedule = Schedule(name, total=10)
    end = schedule.factor(10)
    assert 0 <= end <= schedule.factor(9)
    assert schedule.factor(1000) == end


def test_without_a_name_nothing_is_scheduled() -> None:
    assert {Schedule().factor(t) for t in (0, 1, 1000)} == {1.0}


def test_an_unknown_schedule_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"schedule 'cosin' is not known; did you mean 'cosine'\?"):
        Schedule("cosin")


def test_a_negative_warm_up_is_refused() -> None:
    with pytest.raises(InputError, match="warmup -1 is not a number of steps: at least 0"):
        Schedule("linear", warmup=-1)


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.5, math.nan])
def test_a_decay_that_leaves_nothing_or_adds_is_refused(decay: float) -> None:
    with pytest.raises(InputError, match=rf"decay {decay} is not in \(0, 1\]: the share of the learning rate that is left"):
        Schedule("step", decay=decay)
