"""The command line. `main` looks the verb up, runs it, and turns what a person did wrong into one line and exit status 2.

Exit status: 0 done, 1 a check failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from typing import Any, NoReturn

from npae import __version__
from npae.errors import InputError, nearest, printable

VERBS = {
    "train": "train a model or preset; leaves a run folder with checkpoints, history and pictures",
    "generate": "draw new data from a trained run",
    "reconstruct": "encode and decode data with a trained run",
    "translate": "turn texts into what a paired model was trained to make of them",
    "evaluate": "loss terms, log-likelihood and PCA baseline of a trained run",
    "detect": "find strange rows: a model trained on normal rows alone, beside one-class SVM and isolation forest",
    "embed": "write the codes of data to .npz or .csv",
    "probe": "what simple classifiers and k-means find in the codes, beside PCA and the rows themselves",
    "sweep": "train one run for each latent size: how many dimensions are enough",
    "denoise": "clean noisy data with a trained run; decibels before and after",
    "figure": "draw a figure of one or several trained runs; npae figure list shows them all",
    "report": "one self-contained web page about a trained run",
    "reproduce": "train a published preset over several seeds, published numbers beside measured",
    "test": "do two samples come from one distribution? files, data sets or what runs draw",
    "claim": "put a claim of the founding documents to the test, verdict printed",
    "gradcheck": "compare every hand-written gradient with finite differences",
    "explain": "formula, derivation, source and a worked example of a layer, loss, model or kernel",
    "trace": "lay one training step open: every node's numbers; where two traces part",
    "audit": "what each setting does to loss and gradient; is the objective a bound, and what is wrong with it",
    "influence": "gradient norm of each row, the gradient-noise scale, and the rows that pull hardest",
    "verify": "is everything that a run folder holds whole? checksums, history, configuration, pictures",
    "replay": "train a run again and compare the weights after each epoch, bit by bit",
    "replay-step": "make a step that was not finite again, with every node laid open",
    "data": "list, fetch or locate data sets",
    "doctor": "what was found on this machine, and what will be used",
    "completion": "print a script that completes verbs, options and run folders in bash, zsh or fish",
}

FIRST = f"""npae {__version__}: autoencoders from scratch, every gradient written by hand and checked.

  npae doctor                       what this machine has, and what will be used
  npae train vae                    train on handwritten digits: under a minute, no network
  npae evaluate runs/vae-digits     loss terms, log-likelihood, PCA beside it
  npae generate runs/vae-digits     draw new digits
  npae explain vae                  the formula, its gradient step by step, and the code that computes it

npae --help lists all verbs, npae VERB --help the options of one.
"""

EXAMPLES = """examples:
  npae train vae                                 digits, no network: under a minute
  npae train vae --data mnist --latent 2         the real thing
  npae train wae --data my_images/ --epochs 20   your own PNGs, .npy, .npz or .csv
  npae reproduce flux-vae --seeds 5              published beside measured
  npae gradcheck all                             are the gradients right?
  npae VERB --help                               the options of a verb

exit status: 0 done, 1 a check failed or found a difference, 2 bad input (one line on standard error says which), 130 interrupted.
NO_COLOR=1 turns colours off; there are none, and no moving bar, where the output is not a terminal.
"""


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one line, with the nearest known word."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is left over by name."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            if not unknown[0].startswith("-"):
                raise InputError(f"'{unknown[0]}' is one argument too many; see {self.prog} --help")
            raise InputError(f"'{unknown[0]}' is not an option of {self.prog}{nearest(unknown[0], options)}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        raise InputError(f"{message}; see {self.prog} --help")


def top_parser() -> argparse.ArgumentParser:
    """`npae --help`: the verbs, without importing any of them."""
    listing = "\n".join(f"  {verb:<12} {text}" for verb, text in VERBS.items())
    parser = Parser(
        prog="npae",
        description="Autoencoders from scratch: every gradient written by hand and checked.",
        usage="npae VERB ...",
        epilog=f"verbs:\n{listing}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"npae {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except InputError as error:
        print(f"npae: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `npae ... | head` is no mistake
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (stays open until the interpreter has flushed it)
        return 0
    except OSError as error:
        what = printable(str(error.filename or "input or output"))
        print(f"npae: error: {what}: {error.strerror or error}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"npae: error: not enough memory ({error}); take fewer rows, a smaller --batch-size or a smaller model", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("npae: interrupted", file=sys.stderr)
        return 130


def _check_threads() -> None:
    """NUMBA_NUM_THREADS, before Numba does, at its import."""
    asked = os.environ.get("NUMBA_NUM_THREADS", "").strip()
    if asked.lstrip("+-").isdecimal() and int(asked) < 1:
        raise InputError(f"NUMBA_NUM_THREADS={asked}: at least 1 thread is needed; set it to 1 or more, or unset it")


def _dispatch(words: list[str]) -> int:
    if not words:
        print(FIRST, end="")
        return 0
    if words[0] in ("-h", "--help", "--version"):
        top_parser().parse_args(words)
        return 0
    verb = words[0]
    if verb not in VERBS:
        raise InputError(f"'{verb}' is not a verb{nearest(verb, VERBS)}")
    _check_threads()
    module = importlib.import_module(f"npae.cli.{verb.replace('-', '_')}")
    parser = Parser(
        prog=f"npae {verb}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    module.add_arguments(parser)
    own = "--quiet" in parser._option_string_actions  # a verb that shows progress keeps quiet about that alone
    if not own:
        parser.add_argument("--quiet", action="store_true", help="print nothing but errors, and what --json asks for")
    arguments = parser.parse_args(words[1:])
    with _silence() if arguments.quiet and not own and not getattr(arguments, "json", False) else nullcontext():
        status: int = module.run(arguments)
    return status


@contextmanager
def _silence() -> Iterator[None]:
    """What is printed goes nowhere; errors are printed outside."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
