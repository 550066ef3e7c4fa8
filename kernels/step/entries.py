"""What Python calls of a compiled step, beside the handlers of its operations (perform.py): each by its address, see npae/kernels/entry.py.

All numbers after the dtype are addresses in bytes, counts and codes; each function's own page names them.
"""

from __future__ import annotations

from npae.kernels.entry import Entry

RUN_STEPS = Entry("npae.kernels.step.run:run_steps", 21)

TO_PANELS = Entry("npae.kernels.step.panels:to_panels", 6)
FROM_PANELS = Entry("npae.kernels.step.panels:from_panels", 6)
TURN = Entry("npae.kernels.step.start:turn", 6)
SQUARE = Entry("npae.kernels.step.start:square", 4)
SQUARE_ROW = Entry("npae.kernels.step.start:square_row", 3)

COUNT_NONZEROS = Entry("npae.kernels.step.sparsity:count_nonzeros", 5)
NONZEROS_OF_ROWS = Entry("npae.kernels.step.sparsity:nonzeros_of_rows", 9)

LEVELS_OF = Entry("npae.kernels.step.levels:levels_of", 5)

ALL = (RUN_STEPS, TO_PANELS, FROM_PANELS, TURN, SQUARE, SQUARE_ROW, COUNT_NONZEROS, NONZEROS_OF_ROWS, LEVELS_OF)
