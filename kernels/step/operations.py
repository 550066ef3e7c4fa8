"""What a training step is made of: operations on addresses in bytes, counts and codes; table.py makes of them what compiled code reads.

B is the batch, rows r0 .. r1 - 1 are those of one item of work.

    over rows:   Gather Draw Dense SparseDense Drop Decode Back Join ...  each writes the rows r0 .. r1 - 1 of its output
    over parts:  Weights SparseWeights Bias                               each moves rows of a tensor by Adam
"""

from __future__ import annotations

from typing import NamedTuple


class Gather(NamedTuple):
    """x_b = data[order_b]"""

    data: int
    features: int
    x: int


class GatherSparse(NamedTuple):
    """The nonzeros of x_b out of those of all the data, which may be grey levels (levels.py), and x_b from them"""

    features: int
    x: int
    blocks: int
    all_bounds: int
    all_indices: int
    all_values: int
    all_starts: int
    in_levels: int
    indices: int
    values: int
    starts: int


class Draw(NamedTuple):
    """out (B, columns): normal or uniform numbers of the step's stream."""

    normal: int
    stream: int
    columns: int
    out: int


class Dense(NamedTuple):
    """y = f(x W + b), W in panels"""

    x: int
    x_stride: int
    n_in: int
    w: int
    b: int
    n_out: int
    y: int
    y_stride: int
    activation: int
    parameter: float


class SparseDense(NamedTuple):
    """y = f(x W + b) from the nonzeros of x"""

    indices: int
    values: int
    starts: int
    features: int
    blocks: int
    w: int
    b: int
    n_out: int
    y: int
    y_stride: int
    activation: int
    parameter: float


class Decode(NamedTuple):
    """y = f(x W + b) and its loss; y becomes the gradient with respect to x W + b. Where f has a slope, y itself is `kept`.

    y, kept and target are n_out columns of rows that are `stride` wide: a share of a layer has its own W, b and totals."""

    x: int
    x_stride: int
    n_in: int
    w: int
    b: int
    n_out: int
    y: int
    stride: int
    kept: int
    activation: int
    likelihood: int
    target: int
    totals: int
    parameter: float
    scale: float
    clip: float


class Drop(NamedTuple):
    """mask = [u >= rate] / (1 - rate), y = x mask; u (B, n) becomes the mask"""

    x: int
    u: int
    y: int
    n: int
    rate: float


class Back(NamedTuple):
    """dx = (dy W^T) mask f'(y); mask 0: none"""

    dy: int
    dy_stride: int
    n_out: int
    turned: int
    n_in: int
    dx: int
    dx_stride: int
    mask: int
    y: int
    activation: int
    parameter: float


class Join(NamedTuple):
    """dx = (sum of the parts dy_k W_k^T of the shares k) mask f'(y); mask 0: none"""

    parts: int
    shares: int
    n: int
    dx: int
    dx_stride: int
    mask: int
    y: int
    activation: int
    parameter: float


class Norm(NamedTuple):
    """totals_b = sum_j dy_bj^2, which is not finite where any of them is not"""

    dy: int
    dy_stride: int
    n: int
    totals: int


class Sample(NamedTuple):
    """z = mu + sigma eps, and each row's KL"""

    form: int
    divergence: int
    heads: int
    eps: int
    sigma: int
    z: int
    latent: int
    totals: int
    keras_totals: int
    c: float
    epsilon: float


class BySample(NamedTuple):
    """dmu, ds from dz and the KL, and through the activation of the second head"""

    form: int
    divergence: int
    heads: int
    dheads: int
    eps: int
    sigma: int
    dz: int
    latent: int
    activation: int
    c: float
    epsilon: float
    parameter: float
    per_row: float


class Turn(NamedTuple):
    """turned (d, B) = x (B, d)"""

    x: int
    turned: int
    d: int


class Distances(NamedTuple):
    """out (B, B) = ||x_i - y_j||^2"""

    x: int
    turned: int
    out: int
    d: int


class Rank(NamedTuple):
    """found = the rank-th smallest of the B^2 distances"""

    distances: int
    rank: int
    found: int


class ByDiscrepancy(NamedTuple):
    """dz += weight dMMD^2/dz; sigma2 is the sum of two distances found, or `sigma2`"""

    z: int
    w: int
    z_turned: int
    w_turned: int
    zz: int
    zw: int
    g: int
    dz: int
    d: int
    totals: int
    first_found: int
    second_found: int
    weight: float
    sigma2: float


class Weights(NamedTuple):
    """W by Adam, part by part, and W^T; all in panels"""

    x: int
    x_stride: int
    n_in: int
    dy: int
    dy_stride: int
    n_out: int
    w: int
    m: int
    v: int
    turned: int
    depth: int
    above: int
    squares: int
    decay: float


class SparseWeights(NamedTuple):
    """W by Adam, block by block of its rows, from the nonzeros of x"""

    x: int
    x_stride: int
    features: int
    dy: int
    dy_stride: int
    n_out: int
    w: int
    m: int
    v: int


class Bias(NamedTuple):
    """b by Adam"""

    dy: int
    dy_stride: int
    n_out: int
    b: int
    m: int
    v: int
    squares: int
    decay: float


Operation = (
    Gather | GatherSparse | Draw | Dense | SparseDense | Decode | Drop | Back | Join | Norm | Sample | BySample | Turn | Distances
    | Rank | ByDiscrepancy | Weights | SparseWeights | Bias
)  # fmt: skip
KINDS: tuple[type, ...] = Operation.__args__
