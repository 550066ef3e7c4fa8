"""Every setting of a training run, as data: its kind (option_values.py), its default, what it may be, what it means.

Options of the training itself have their default here; a model that needs another says so (`training_defaults`). Options of a model are
the arguments of its constructor, and have their defaults there.
The command line, configuration files, `--set` and `npae train --help` are all made from this table.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npae.backend import DEFAULT, DTYPES, NAMES
from npae.corruption import CORRUPTIONS
from npae.data.scaling import SCALES
from npae.errors import InputError, nearest
from npae.layers.activations import ACTIVATIONS
from npae.layers.reparameterise import FORMS
from npae.losses.mmd import KERNELS
from npae.losses.reconstruction import RECONSTRUCTIONS
from npae.losses.sparsity import PENALTIES
from npae.models import MODELS
from npae.models.iwae import ESTIMATORS
from npae.models.networks import HEADS
from npae.models.vae import KLS
from npae.models.wae import ENCODERS
from npae.optim import PLACEMENTS, SCHEDULES
from npae.parameters import INITIALISERS
from npae.training.guard import GUARDS
from npae.training.step import STEPS

OF_THE_MODEL = object()  # the default is the constructor's


@dataclass(frozen=True)
class Option:
    """One setting. `flag`: it has a command-line flag of its own; any option can be given as --set key=value."""

    key: str
    kind: str
    help: str
    default: Any = OF_THE_MODEL
    choices: tuple[str, ...] = ()
    flag: bool = False

    @property
    def argument(self) -> str:
        """The constructor argument of that key (`lambda` is a word of the language)."""
        return "lambda_" if self.key == "lambda" else self.key


OPTIONS: dict[str, Option] = {
    option.key: option
    for option in (
        Option(
            "data",
            "str",
            "digits, tones, dates, mnist, fashion-mnist, binarized-mnist, or a path: .npy .npz .csv, a folder of IDX files or of PNGs",
            "digits",
            flag=True,
        ),
        Option("epochs", "int", "passes over the training data", 100, flag=True),
        Option("batch_size", "int", "rows in a training step", 100, flag=True),
        Option("learning_rate", "float", "Adam's step size", 2e-3, flag=True),
        Option("hidden", "ints", "widths of the hidden layers, encoder's order: 128 or 512,256", flag=True),
        Option("latent", "int", "numbers in a code", flag=True),
        Option("beta", "float", "weight of the KL term", flag=True),
        Option("lambda", "float", "weight of the model's penalty: MMD, adversary, sparsity or contraction", flag=True),
        Option("seed", "int", "every random number follows from it", 0, flag=True),
        Option("dtype", "str", "of every number", "float32", DTYPES, flag=True),
        Option("backend", "str", "whose arrays and kernels compute: numpy, numba (CPU), cupy (GPU)", choices=NAMES, flag=True),
        Option(
            "validation",
            "validation",
            "share of the training rows, or test, none, auto (test where the data have one, else 0.1)",
            "auto",
            flag=True,
        ),
        Option("patience", "int", "stop after so many epochs without a better validation loss; 0: never", 0, flag=True),
        Option("watch", "int", "evaluate so many of the first training rows after each epoch, and draw nine reconstructions; 0: none", 0),
        Option("keep", "labels", "train and validate on the rows of these labels alone: 3, or 0,1; unset: on all", None, flag=True),
        Option(
            "step",
            "str",
            "of training: ordinary (layer by layer), compiled (CPU), captured or eager (GPU: a graph, or its launches); auto: the fastest",
            "auto",
            STEPS,
        ),
        Option(
            "guard",
            "str",
            "what to do about a loss or gradient that is not finite: stop, skip its batch, or halve the learning rate",
            "stop",
            GUARDS,
        ),
        Option("shuffle", "bool", "a new order of the rows each epoch", True),
        Option("drop_last", "bool", "leave out the last batch when it is not full", False),
        Option(
            "binarise",
            "str",
            "fixed: x > 1/2; dynamic: drawn anew each epoch with probability x",
            "none",
            ("none", "fixed", "dynamic"),
        ),
        Option("scale", "str", "of the data; auto: bytes to [0, 1], floats as they are", "auto", SCALES),
        Option("image_shape", "shape", "rows x columns of an image, such as 28x28, where the data do not say", None),
        Option("beta1", "float", "Adam's memory of the gradient", 0.9),
        Option("beta2", "float", "Adam's memory of its square", 0.999),
        Option("epsilon", "float", "Adam's epsilon", 1e-8),
        Option(
            "epsilon_placement",
            "str",
            "where epsilon stands: as in Flux and PyTorch, or as in Keras",
            "bias_corrected",
            PLACEMENTS,
        ),
        Option("clip_norm", "float", "scale the gradient down to this norm; 0: never", 0.0),
        Option("schedule", "str", "of the learning rate", "constant", tuple(SCHEDULES)),
        Option("warmup", "int", "steps over which the learning rate rises", 0),
        Option("decay", "float", "of the exponential and step schedules: what is left of the learning rate", 0.1),
        Option("kl_warmup", "int", "steps over which beta rises from 0"),
        Option("free_bits", "float", "nats of KL that each latent unit has for nothing"),
        Option("kl", "str", "the KL term; keras: that of the Keras document, which gives no bound", choices=KLS),
        Option("kl_epsilon", "float", "added to the variance inside the KL's logarithm"),
        Option("l2", "float", "weight of the decoder's squared parameters"),
        Option("posterior", "str", "what the encoder's second head is", choices=FORMS),
        Option("noise_scale", "float", "standard deviation of the noise that the posterior is drawn with"),
        Option("heads", "str", "joint: mu and s are halves of one layer, whose initialiser counts both", choices=HEADS),
        Option("reconstruction", "str", "the reconstruction loss", choices=tuple(RECONSTRUCTIONS)),
        Option("eta", "float", "variance of reconstruction=gaussian, and where that of gaussian_learned starts"),
        Option("clip", "float", "reconstruction=bernoulli_probabilities keeps them in [clip, 1 - clip]"),
        Option("encoder", "str", "of a wae", choices=ENCODERS),
        Option("samples", "int", "draws of the posterior for each row, which an iwae weighs"),
        Option("estimator", "str", "of the gradient of an iwae's encoder", choices=ESTIMATORS),
        Option("inner_steps", "int", "gradient steps on each row's own posterior, for every step of the decoder"),
        Option("inner_rate", "float", "size of the first of these steps; it falls to 0"),
        Option("alpha", "float", "share of the KL that an infovae leaves out"),
        Option("penalty", "str", "of a sparse code: few units for each row, or each unit for few rows", choices=PENALTIES),
        Option("target_rate", "float", "share of rows for which a unit of a sparse code is to be active, where penalty=kl"),
        Option("corruption", "str", "of a denoising model's input", choices=tuple(CORRUPTIONS)),
        Option("level", "float", "of the corruption: a standard deviation where it is Gaussian, else a share of the numbers"),
        Option("discriminator_hidden", "ints", "widths of the hidden layers of an adversarial model's discriminator"),
        Option("label_smoothing", "float", "a gan's discriminator is asked to be 1 - label_smoothing sure of a real row"),
        Option("kernel", "str", "of the MMD penalty", choices=KERNELS),
        Option("bandwidth", "number or name", "flux, tolstikhin, median, prior, or a number: sigma2 of the RBF kernel"),
        Option("stop_gradient", "bool", "hold the bandwidth constant in backward"),
        Option("activation", "name or names", "of the hidden layers, or one for each: elu,tanh", choices=tuple(ACTIVATIONS)),
        Option("code_activation", "optional str", "of the code; unset: what the penalty needs", choices=tuple(ACTIVATIONS)),
        Option("output", "optional str", "activation of the decoder's output; unset: what the loss needs", choices=tuple(ACTIVATIONS)),
        Option("dropout", "float", "share of hidden units dropped in training; in a gan, of the discriminator's"),
        Option("initialiser", "str", "of the weights, named after the framework it matches", choices=tuple(INITIALISERS)),
    )
}


@functools.cache
def model_arguments(kind: str) -> Mapping[str, inspect.Parameter]:
    """The arguments of a model's constructor: the options that apply to it, by `Option.argument`."""
    return inspect.signature(MODELS[kind].__init__).parameters


def help_text(chosen: Option) -> str:
    """What the option means, what it may be, and its default."""
    choices = f": {', '.join(chosen.choices)}" if chosen.choices else ""
    return f"{chosen.help}{choices} [{_default_text(chosen)}]"


def _default_text(chosen: Option) -> str:
    if chosen.key == "backend":
        return f"{DEFAULT}, or what NPAE_BACKEND says"
    if chosen.default is not OF_THE_MODEL:
        own = [
            f"{kind}: {_plain(model.training_defaults[chosen.key])}"
            for kind, model in MODELS.items()
            if chosen.key in model.training_defaults
        ]
        return "; ".join([_plain(chosen.default), *own])
    by_default: dict[str, list[str]] = {}
    for kind in MODELS:
        if chosen.argument in model_arguments(kind):
            by_default.setdefault(_plain(model_arguments(kind)[chosen.argument].default), []).append(kind)
    kinds = {kind for some in by_default.values() for kind in some}
    if len(by_default) == 1 and kinds == set(MODELS):
        return next(iter(by_default))
    return "; ".join(f"{', '.join(some)}: {default}" for default, some in by_default.items())


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return "unset" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"


def option(key: str) -> Option:
    """The option of that name; --learning-rate, learning-rate and learning_rate are one."""
    name = key.lstrip("-").replace("-", "_")
    if name not in OPTIONS:
        raise InputError(f"option '{key}' is not known{nearest(name, OPTIONS)}")
    return OPTIONS[name]
