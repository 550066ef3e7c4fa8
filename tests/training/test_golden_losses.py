"""Losses of small fixed trainings against stored numbers: a change of a default, stream, initialiser, formula or order of rows shows here.

The numbers on the digits are this engine's own, float64 and reference kernels; those on MNIST are its float32 ones. The published initial
losses are another program's: the loss of one batch before the first step, with weights and batch of an unknown seed.
"""

from __future__ import annotations

import numpy as np
import pytest

from npae.data import Dataset, batch_indices
from npae.models import Terms
from npae.presets import preset
from npae.training.configuration import build_model, resolve
from npae.training.loop import Trainer
from npae.training.run import prepare

SMALL = {"data": "digits", "epochs": 3, "hidden": [16], "latent": 3, "seed": 11}

DIGITS: dict[str, dict[str, list[float]]] = {
    "ae": {
        "train.total": [14.482513732747705, 10.481270197726596, 7.014830787037025],
        "validation.total": [12.716591429788597, 8.49643529684646, 5.897763204478033],
    },
    "vae": {
        "train.nll": [44.172390147508104, 42.09168808197848, 39.33898745145193],
        "train.kl": [0.6831753090139253, 0.32513524940344835, 0.5392728882608713],
        "validation.total": [43.50874262055065, 41.222142657464225, 38.407870054295685],
    },
    "wae": {
        "train.reconstruction": [16.444217375165476, 11.628775738126773, 8.864259552846988],
        "train.mmd": [0.036745021099378924, 0.06517414486699591, 0.08787903367453309],
        "validation.total": [13.824863767100831, 10.828374078757982, 8.505354972257793],
    },
}

MNIST: dict[str, list[float]] = {  # the first 20 batches, seed 0
    "flux-ae": [
        *(
            0.113677751,
            0.090625118,
            0.339314693,
            0.0739359643,
            0.111634646,
            0.104272128,
            0.108737191,
            0.101295856,
            0.089271027,
            0.0722155272,
        ),
        *(0.0756968977, 0.0690286221, 0.0685795287, 0.068157012, 0.0709040348, 0.0645595372, 0.0660735286, 0.0674487372, 0.0682901018),
        0.067811812,
    ],
    "flux-vae": [
        *(549.19579, 516.714408, 385.217649, 358.488343, 328.209802, 267.385498, 267.62379, 263.692328, 251.18995, 238.953822),
        *(224.612549, 233.773917, 239.056631, 224.077008, 229.533753, 221.212673, 220.876932, 218.901818, 216.668996, 220.422827),
    ],
    "flux-wae": [
        *(115.864609, 73.1057701, 114.288786, 59.9781174, 81.6948483, 58.6916912, 60.0176011, 58.0950485, 56.6204877, 53.7155456),
        *(51.0843397, 54.8996589, 54.42618, 53.7107261, 55.2566013, 50.4916275, 50.1631024, 51.5314193, 50.6878631, 50.6856441),
    ],
}


@pytest.mark.parametrize("kind", DIGITS)
def test_the_reference_kernels_in_float64_give_the_stored_losses(kind: str) -> None:
    history = prepare(resolve(kind, flags=SMALL | {"dtype": "float64", "backend": "numpy"})).trainer.run()
    for column, expected in DIGITS[kind].items():
        np.testing.assert_allclose(history.column(column), expected, rtol=1e-9, err_msg=column)


@pytest.mark.parametrize("kind", DIGITS)
def test_the_compiled_kernels_in_float32_give_them_too(kind: str) -> None:
    history = prepare(resolve(kind, flags=SMALL | {"dtype": "float32", "backend": "numba"})).trainer.run()
    for column, expected in DIGITS[kind].items():
        np.testing.assert_allclose(history.column(column), expected, rtol=1e-4, err_msg=column)


@pytest.mark.parametrize("kind", DIGITS)
def test_the_compiled_kernels_in_float64_give_them_to_twelve_digits(kind: str) -> None:
    history = prepare(resolve(kind, flags=SMALL | {"dtype": "float64", "backend": "numba"})).trainer.run()
    for column, expected in DIGITS[kind].items():
        np.testing.assert_allclose(history.column(column), expected, rtol=1e-9, err_msg=column)


@pytest.mark.parametrize("name", MNIST)
def test_the_first_twenty_losses_on_mnist_are_the_stored_ones(name: str, mnist: Dataset) -> None:
    losses: list[float] = []

    def on_batch(trainer: Trainer, terms: Terms) -> None:
        losses.append(terms.total)
        if len(losses) == 20:
            raise KeyboardInterrupt

    trainer = prepare(resolve(name, flags={"backend": "numba", "dtype": "float32", "seed": 0})).trainer
    with pytest.raises(KeyboardInterrupt):
        trainer.run(on_batch=on_batch)
    np.testing.assert_allclose(losses, MNIST[name], rtol=1e-4)


@pytest.mark.parametrize("name", MNIST)
def test_the_published_initial_loss_lies_among_those_of_twenty_batches_and_three_seeds(name: str, mnist: Dataset) -> None:
    losses = []
    for seed in range(3):
        model = build_model(resolve(name, flags={"backend": "numpy", "seed": seed}), features=784)
        for rows in batch_indices(60000, 100, seed=seed, epoch=0, shuffle=True, drop_last=False)[:20]:
            losses.append(model.loss(mnist.train[rows], noise=model.draw(seed, 0, 100)).total)
    (published,) = (number.value for number in preset(name).published.numbers if number.name == "initial")
    assert min(losses) <= published <= max(losses)
    assert max(losses) / min(losses) < 1.5
