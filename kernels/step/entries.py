"""What Python calls of a compiled step, beside the handlers of its operations (perform.py): each by its address, see npae/kernels/entry.py.

All numbers after the dtype are addresses in bytes, counts and codes; each function's own page names them.
"""

from __future__ import annotations

from npae.kernels.entry import Entry

RUN_STEPS = Entry("npae.kernels.step.run:run_steps", 21)

MAKE_READY = Entry("npae.kernels.step.start:make_ready", 8)
HAND_BACK = Entry("npae.kernels.step.start:hand_back", 2)

COUNT_NONZEROS = Entry("npae.kernels.step.sparsity:count_nonzeros", 5)
NONZEROS_OF_ROWS = Entry("npae.kernels.step.sparsity:nonzeros_of_rows", 9)

LEVELS_OF = Entry("npae.kernels.step.levels:levels_of", 5)

ALL = (RUN_STEPS, MAKE_READY, HAND_BACK, COUNT_NONZEROS, NONZEROS_OF_ROWS, LEVELS_OF)
