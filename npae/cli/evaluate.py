"""What a trained run is worth on rows it has not seen.

  npae evaluate runs/vae-mnist              objective by terms, reconstruction beside PCA, log-likelihood bounds, codes against the prior
  npae evaluate runs/vae-mnist --json

For a VAE the importance-weighted bound (Burda et al. 2016) of --likelihood-rows rows with --samples samples each, in nats per image.
Beside it the amortisation gap (Cremer et al. 2018) of --gap-rows rows: what each would gain from a posterior of its own, found by gradient
steps, over the one that the encoder (or an em-vae's few steps) gives it.
For a paired model on text: the share of texts that are right to the last character, and of characters, with examples.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from npae.cli.opened import Opened, add_run_arguments, open_for
from npae.errors import InputError
from npae.evaluation.amortisation import amortisation_gap, has_gap
from npae.evaluation.evaluate import evaluate
from npae.evaluation.translation import target_accuracy
from npae.training.files import write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, the data, and how hard to look."""
    add_run_arguments(parser)
    parser.add_argument("--samples", type=int, default=100, help="importance samples a row (default: 100)")
    parser.add_argument("--likelihood-rows", type=int, default=1000, help="rows for the importance-weighted bound (default: 1000)")
    parser.add_argument("--gap-rows", type=int, default=200, help="rows for the amortisation gap; 0 leaves it out (default: 200)")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, store RUN/evaluation.json, print."""
    if arguments.likelihood_rows < 1:
        raise InputError(f"--likelihood-rows {arguments.likelihood_rows}: at least 1 is needed")
    if arguments.gap_rows < 0:
        raise InputError(f"--gap-rows {arguments.gap_rows}: at least 1 is needed, or 0 to leave the amortisation gap out")
    opened = open_for(arguments)
    found = evaluate(
        opened.model,
        opened.rows,
        opened.train,
        y=opened.y,
        batch_size=opened.configuration["batch_size"],
        seed=opened.configuration["seed"],
        samples=arguments.samples,
        likelihood_rows=arguments.likelihood_rows,
    )
    if arguments.gap_rows and has_gap(opened.model):
        seed = opened.configuration["seed"]
        found["amortisation"] = amortisation_gap(opened.model, opened.rows, opened.y, rows=arguments.gap_rows, seed=seed)
    if opened.model.companion == "targets":
        y, train_y = opened.y, opened.train_y
        assert y is not None
        assert train_y is not None
        found["targets"] = target_accuracy(opened.model, opened.rows, y, train_y, opened.dataset.text)
    found = {"run": str(opened.folder), "data": opened.which, **found}
    write_json(opened.folder / "evaluation.json", found)
    print(json.dumps(found, indent=1) if arguments.json else _text(opened, found))
    return 0


def _text(opened: Opened, found: dict[str, Any]) -> str:
    rows = [("objective", _terms(found["objective"], found["weights"]))]
    watched = [name for name, weight in found["weights"].items() if not weight and name not in opened.model.players]
    if watched:
        rows.append(("watched beside it", ", ".join(f"{name} {found['objective'][name]:.4f}" for name in watched)))
    rows += [(f"{player}'s objective", f"{found['objective'][player]:.4f}") for player in opened.model.players]
    if found["caveat"]:
        rows.append(("", found["caveat"]))
    if "reconstruction_per_image" in found and "targets" not in found:
        rows.append(("reconstruction per image", f"{found['reconstruction_per_image']:.4f}"))
    if "squared_error_per_feature" in found:
        mine, pca = found["squared_error_per_feature"], found["pca_squared_error_per_feature"]
        beside = f"PCA with {found['pca_components']} components {pca:.5f}" + (f", ratio {mine / pca:.3f}" if pca else "")
        rows.append(("squared error per feature", f"{mine:.5f}   {beside}"))
    if targets := found.get("targets"):
        rows += _targets(targets, found["rows"])
    if bound := found.get("log_likelihood"):
        rows.append(("ELBO", f"{_bound(bound, 'elbo')}, {bound['rows']} rows"))
        rows.append(
            ("log p(x) is at least", f"{_bound(bound, 'importance_weighted')}, {bound['importance_samples']} importance samples a row")
        )
    if gap := found.get("amortisation"):
        bounds = f"ELBO {gap['elbo']:.3f}, with each row's own posterior {gap['elbo_of_own_posteriors']:.3f}"
        rows.append(("amortisation gap", f"{_bound(gap, 'gap')}: {bounds}; {gap['rows']} rows"))
    if codes := found.get("codes"):
        distance = "needs at least 2 rows" if codes["mmd_to_prior"] is None else f"{codes['mmd_to_prior']:.5f}, {codes['rows']} rows"
        rows.append(("codes: MMD^2 to the prior", distance))
        rows.append(("codes: active units", f"{codes['active_units']} of {codes['latent']}"))
    title = f"{opened.folder}: {opened.configuration.name}, {found['rows']} rows of {found['data']}"
    return "\n".join([title, *(f"  {name:<28} {value}" for name, value in rows)])


def _targets(targets: dict[str, Any], count: int) -> list[tuple[str, str]]:
    """How many texts are right, and some of them; or how far numbers are off."""
    if "exact" not in targets:
        mine, blind = targets["squared_error_per_feature"], targets["mean_squared_error_per_feature"]
        return [("squared error per feature", f"{mine:.5f} of the targets   the training targets' mean {blind:.5f}")]
    rows = [
        ("right to the last character", f"{100 * targets['exact']:.2f} %, {targets['wrong_rows']} of {count} wrong"),
        ("characters right", f"{100 * targets['characters']:.3f} %"),
    ]
    rows += [("such as" if i == 0 else "", f"{one['given']} -> {one['said']}") for i, one in enumerate(targets["examples"])]
    mistakes = [f"{one['given']} -> {one['said']}, not {one['wanted']}" for one in targets["mistakes"]]
    return rows + [("mistakes such as" if i == 0 else "", line) for i, line in enumerate(mistakes)]


def _terms(terms: dict[str, float], weights: dict[str, float]) -> str:
    """total 131.3282 = nll 108.8149 + kl 15.4000 + 0.005 l2 1422.6683"""
    summed = {name: terms[name] for name, weight in weights.items() if weight}
    parts = [f"{'' if weights[name] == 1 else f'{weights[name]:g} '}{name} {value:.4f}" for name, value in summed.items()]
    return f"total {terms['total']:.4f} = {' + '.join(parts)}"


def _bound(bound: dict[str, Any], name: str) -> str:
    error = bound[f"{name}_standard_error"]
    return f"{bound[name]:.3f}" + (f" +- {error:.3f}" if error is not None else "") + " nats per image"
