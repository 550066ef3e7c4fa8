"""A training step as a table of operations, and the compiled functions that walk through it; npae/compiled makes the table.

    operations.py, codes.py    the operations, their fields, and how they are written into two tables (nothing is compiled for these)
    entries.py, run.py         what Python calls; all steps of a call, on every thread;  memory.py: arrays at addresses, barriers
    handler.py, perform.py     one compiled function for each kind of operation;  call.py
    gather.py, rows.py, latent.py, tiles.py                        what they do
    tile.py, vectors.py        a tile of a matrix product in registers.py;  product.py: a whole product;  transpose.py
    nonzeros.py, marks.py, sparse.py    the first layer from the nonzeros of its input;  sparsity.py, levels.py: those of all the data
    activation.py, likelihood.py (logits.py: vector by vector), posterior.py, discrepancy.py    what stands between the products
    adam.py, update.py         Adam's step on a tile of the gradient, in registers;  start.py: what a run finds ready, and hands back

What Python calls, and the operations, are entries (npae/kernels/entry.py): kept machine code, which is loaded without Numba.
Every sum is formed in one order that depends on the network alone, so the numbers are the same on any number of threads.
"""
