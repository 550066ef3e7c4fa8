"""What a node costs in one step, counted from shapes: floating-point operations, and bytes of its arrays.      x (B, I)   y (B, O)

    Dense      forward 2 B I O + B O      backward 2 B I O + B O, and 2 B I O for dx where it is asked for
    MMD        value and gradient in forward, n codes of Z numbers: (2 n^2 - n)(3 Z + 1) for the kernel, (3 n^2 - n) Z for dz
    any other  one for each number that it returns: a lower bound, exp and log count as one

    bytes      of y, dy, dx, the parameters and their gradients: what a step has to touch at least once

A node that runs several times in a step costs its calls. The bandwidth of an MMD is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from npae.backend import Array
from npae.layers import Dense, Node
from npae.losses import IMQMMD, RBFMMD


def flops(node: Node, arrays: Mapping[str, Array], calls: tuple[int, int]) -> tuple[int, int]:
    """Of all forwards and all backwards of a step; `arrays` are the node's: y, dx (or dx0, dx1), W, ..."""
    returned = sum(array.size for name, array in arrays.items() if name.startswith("dx"))
    y = arrays["y"].size if "y" in arrays else 0
    if isinstance(node, Dense):
        product = 2 * y * node.n_in
        forward, backward = product + y, product * (2 if returned else 1) + y
    elif isinstance(node, RBFMMD | IMQMMD) and returned:
        n, z = arrays["dx"].shape
        forward, backward = (2 * n * n - n) * (3 * z + 1) + (3 * n * n - n) * z, returned
    else:
        forward, backward = max(y, returned), returned
    return calls[0] * forward, calls[1] * backward


def bytes_of(arrays: Mapping[str, Array]) -> int:
    """Of everything that the node returned, was given as a gradient, and owns."""
    return sum(array.nbytes for array in arrays.values())
