"""Optimisers: Adam, its learning-rate schedules, and clipping of the gradient's norm."""

from npae.optim.adam import PLACEMENTS, Adam
from npae.optim.schedule import SCHEDULES, Schedule

__all__ = ["PLACEMENTS", "SCHEDULES", "Adam", "Schedule"]
