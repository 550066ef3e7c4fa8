"""npae's command line up to the end of the first training step.        python -m bench.epoch_start train flux-ae --set step=compiled ...

So that the time of this process is the time from nothing to a first step, with everything that a run does before it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from npae.backend import Array
from npae.cli import main
from npae.models import Terms
from npae.training.step import SeveralSteps


def _stop_after_first(steps: SeveralSteps, batches: Sequence[Array], epoch: int) -> list[Terms]:
    take_steps(steps, batches, epoch)
    os._exit(0)


if __name__ == "__main__":
    take_steps = SeveralSteps.__call__
    setattr(SeveralSteps, "__call__", _stop_after_first)  # noqa: B010  (mypy allows no assignment to a method)
    main(sys.argv[1:])
    sys.exit("no step in several was made: it was neither compiled nor captured")
