"""Every day of two centuries in two ways of writing it, to be translated from one into the other.

    dates            21 November 2026  ->  2026-11-21            1 January 1900 to 31 December 2099, the Gregorian calendar
    dates-reverse    2026-11-21  ->  21 November 2026

73,049 days in an order shuffled by a fixed seed: the first 20,000 train, the next 10,000 test, so no test day was seen in training. Rows
and targets are one-hot text (text.py). In words the day has no leading zero, so everything behind it moves by a place.
"""

from __future__ import annotations

import datetime

import numpy as np

from npae.data.raw import Raw
from npae.data.text import Alphabet, TextFormat

# by name here: what strftime calls them depends on the machine
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
TRAIN, TEST = 20_000, 10_000
SEED = 2026  # of the one order that has the name


def in_words(day: datetime.date) -> str:
    """21 November 2026"""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def read_dates() -> Raw:
    """The data set `dates`: words to numbers."""
    return _paired(reverse=False)


def read_dates_reverse() -> Raw:
    """The data set `dates-reverse`: numbers to words."""
    return _paired(reverse=True)


def _paired(*, reverse: bool) -> Raw:
    days = [FIRST + datetime.timedelta(days) for days in range((LAST - FIRST).days + 1)]
    order = np.random.Generator(np.random.Philox(SEED)).permutation(len(days))[: TRAIN + TEST]
    words, numbers = ([write(days[i]) for i in order] for write in (in_words, datetime.date.isoformat))
    given, wanted = (numbers, words) if reverse else (words, numbers)
    text = TextFormat(Alphabet.of(given), Alphabet.of(wanted))
    rows, targets = text.rows.encode(given), text.targets.encode(wanted)
    n = TRAIN
    return Raw("generated", rows[:n], test=rows[n:], train_targets=targets[:n], test_targets=targets[n:], text=text)
