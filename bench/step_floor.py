"""The least that a training step can take on this machine: its work, counted from the network, over the rates that floors.py measured.

    gemm_flops      2 B I O of each layer, three times: forward, weight gradient, input gradient; the first layer without the last of them
    exponentials    one for each sigmoid, tanh, ELU, logarithm or softplus: activations, the likelihood, sigma(s), and of an MMD the
                    distances between z and w, and within each (half of them: the matrix is symmetric)
    copy_bytes      Adam reads theta, m and v and writes them: six numbers for each parameter

    floor = max(gemm_flops / rate + exponentials / rate, copy_bytes / rate)

Arithmetic and traffic can overlap, two kinds of arithmetic cannot. The dense floor multiplies every pixel; `sparse` is the floor of a step
whose first layer multiplies only the share of pixels that is not zero, forward and in the weight gradient. In float64 the two rates of
arithmetic are half of float32's.

On a GPU the floor is the same with its rates (bench/gpu/rates.py), or one launch of a graph where that is longer: data and noise that are
drawn there are not counted, nor that a small step is a chain of dependent launches: that is told beside it, from the graph itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.network import Network

WITH_EXPONENTIAL = ("sigmoid", "tanh", "elu", "softplus")
OF_A_PIXEL = {"squared_error": 0, "bernoulli_logits": 2, "bernoulli_probabilities": 2}


def work(network: Network, batch: int, dtype: str) -> dict[str, float]:
    """Of one step."""
    first, *later = network.layers
    flops = 2.0 * batch * (2 * first.inputs * first.outputs + sum(3 * layer.inputs * layer.outputs for layer in later))
    exponentials = batch * sum(layer.outputs for layer in network.layers if layer.activation in WITH_EXPONENTIAL)
    exponentials += batch * network.decoder[-1].outputs * OF_A_PIXEL[network.likelihood.name]
    exponentials += batch * network.latent * (bool(network.sampling) + len(network.kl))
    exponentials += 2 * batch * batch if network.mmd else 0
    parameters = sum((layer.inputs + 1) * layer.outputs for layer in network.layers)
    return {
        "gemm_flops": flops,
        "exponentials": float(exponentials),
        "copy_bytes": 6.0 * parameters * np.dtype(dtype).itemsize,
    }


def floor(network: Network, batch: int, dtype: str, rates: Mapping[str, float], nonzero: float) -> dict[str, Any]:
    """Milliseconds, and what they are made of."""
    done, half = work(network, batch, dtype), 2.0 if dtype == "float64" else 1.0
    first = network.layers[0]
    left_out = (1 - nonzero) * 2 * batch * 2 * first.inputs * first.outputs
    parts = {kind: 1e3 * amount / rates[kind] * (1.0 if kind == "copy_bytes" else half) for kind, amount in done.items()}
    dense = max(parts["gemm_flops"] + parts["exponentials"], parts["copy_bytes"])
    multiplied = parts["gemm_flops"] * (1 - left_out / done["gemm_flops"])
    sparse = max(multiplied + parts["exponentials"], parts["copy_bytes"])
    return {"work": done, "milliseconds_of": parts, "milliseconds": dense, "sparse_milliseconds": sparse, "nonzero": nonzero}


def floor_on_gpu(network: Network, batch: int, dtype: str, rates: Mapping[str, float]) -> dict[str, Any]:
    """The same for a GPU, every pixel multiplied."""
    done, half = work(network, batch, dtype), 2.0 if dtype == "float64" else 1.0
    parts = {kind: 1e3 * amount / rates[kind] * (1.0 if kind == "copy_bytes" else half) for kind, amount in done.items()}
    launch = 1e3 * rates["graph_launch"]
    milliseconds = max(parts["gemm_flops"] + parts["exponentials"], parts["copy_bytes"], launch)
    return {"work": done, "milliseconds_of": parts, "launch_milliseconds": launch, "milliseconds": milliseconds}
