"""`npae explain`: in the terminal, as a page, the list, and the compiled step."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.compiled.plan import Plan
from npae.explain import catalogue
from npae.kernels.step.operations import KINDS


def test_alone_it_lists_all_there_is(npae: Any) -> None:
    said = npae("explain")
    assert (said.status, said.err) == (0, "")
    listed = [line.split()[0] for line in said.out.splitlines() if line.startswith("  ") and line.strip()]
    assert set(catalogue.derivations()) <= set(listed)
    assert {"flux-vae", "keras-ae"} <= set(listed)


def test_a_layer_is_explained_with_numbers_source_and_verdict(npae: Any) -> None:
    said = npae("explain", "dense")
    assert (said.status, said.err) == (0, "")
    assert "dW = x^T dy" in said.out
    assert "dW = [ 1  -1   ]" in said.out
    assert re.search(r"def forward\(self, x.*def backward\(self, dy", said.out), "forward and backward side by side"
    assert re.search(r"finite differences of the objective agree to \d\.\de-1\d", said.out)
    assert "Rumelhart" in said.out
    assert "\x1b" not in said.out


def test_a_model_is_shown_in_the_configuration_that_is_given(npae: Any) -> None:
    said = npae("explain", "vae", "--hidden", "30,20", "--latent", "4", "--features", "60", "--batch-size", "9")
    assert said.status == 0
    assert "Shapes of vae on 60 features, batches of 9" in said.out
    assert "W (60, 30), b (30)" in said.out
    assert "(9, 4)" in said.out
    preset = npae("explain", "flux-wae")
    assert "Shapes of flux-wae on 784 features, batches of 100" in preset.out
    assert "W (784, 128), b (128)" in preset.out


def test_the_page_is_one_file_with_typeset_formulas_and_nothing_from_elsewhere(npae: Any) -> None:
    said = npae("explain", "RBFMMD", "--html", "mmd.html")
    assert (said.status, said.out, said.err) == (0, "mmd.html: RBFMMD, a loss\n", "")
    page = Path("mmd.html").read_text()
    assert page.count("<math") > 10
    assert "<mfrac>" in page
    assert page.count("<li>") == len(catalogue.find("RBFMMD").steps)
    assert 'class="sides"' in page
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", page)
    assert re.findall(r'https?://[^"]*', page) == ["http://www.w3.org/1998/Math/MathML"] * page.count("<math")


def test_what_disagrees_ends_with_status_one(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.explain import explanation

    monkeypatch.setattr(explanation, "ROUNDING", -1.0)
    assert npae("explain", "Dense").status == 1
    said = npae("explain", "Dense", "--json")
    assert (said.status, json.loads(said.out)["holds"]) == (1, False)


def test_a_script_reads_the_numbers_and_can_work_them_out_again(npae: Any) -> None:
    said = npae("explain", "dense", "--json")
    assert (said.status, said.err) == (0, "")
    content = json.loads(said.out)
    assert (content["name"], content["kind"], content["holds"]) == ("Dense", "layer", True)
    given = {name: np.array(value) for name, value in content["given"].items()}
    by_name = {name: value for one in content["steps"] for name, value in one["numbers"].items()}
    wanted = {
        "y": given["x"] @ given["W"] + given["b"],
        "dW": given["x"].T @ given["dy"],
        "db": given["dy"].sum(axis=0),
        "dx": given["dy"] @ given["W"].T,
    }
    for name, value in wanted.items():
        np.testing.assert_allclose(by_name[name], value)
        np.testing.assert_allclose(content["code_gave"][name]["value"], value)
    assert [(one["latex"], one["text"]) for one in content["steps"] if "dW" in one["numbers"]] == [(r"dW = x^\top dy", "dW = x^T dy")]
    assert content["finite_differences"]["passed"] is True
    assert "def backward(self, dy" in content["code"][1]["text"]
    assert (content["configuration"], content["shapes"]) == (None, [])


def test_a_script_reads_shapes_as_numbers(npae: Any) -> None:
    content = json.loads(npae("explain", "flux-vae", "--json").out)
    shapes = {row["name"]: row for row in content["shapes"]}
    assert shapes["encoder.0"]["parameters"] == {"W": [784, 128], "b": [128]}
    assert shapes["reparameterise"]["gradient"] == [[100, 8], [100, 8]]
    assert (shapes["likelihood"]["out"], shapes["encoder.0"]["gradient"]) == ([[]], [])


def test_a_kernel_shows_every_form_and_its_cuda_source_in_the_terminal_on_the_page_and_in_json(npae: Any) -> None:
    kernel, places = 'extern "C" __global__', [f"npae/kernels/squared_error/{file}" for file in ("reference.py", "cpu.py", "gpu.py")]
    said, page = npae("explain", "squared_error").out, npae("explain", "squared_error", "--html", "kernel.html", "--json").out
    for place in (*places, "npae/kernels/squared_error/squared_error.cu:1"):
        assert place in said
        assert place in Path("kernel.html").read_text()
    assert kernel in said
    assert '<div class="cuda">' in Path("kernel.html").read_text()
    assert [one["title"] for one in json.loads(page)["code"]] == ["reference", "cpu", "gpu", "cuda"]
    assert kernel in json.loads(page)["code"][-1]["text"]


def test_a_page_and_json_can_be_had_at_once(npae: Any) -> None:
    assert json.loads(npae("explain", "adam", "--html", "a.html", "--json").out)["finite_differences"] is None
    assert "<math" in Path("a.html").read_text()


def test_the_list_and_the_compiled_step_are_there_for_scripts(npae: Any) -> None:
    listed = json.loads(npae("explain", "--json").out)
    assert listed["losses"]["RBFMMD"].startswith("MMD^2 with the RBF kernel")
    assert {name for names in listed.values() for name in names} >= {*catalogue.derivations(), "flux-vae"}
    content = json.loads(npae("explain", "--step", "vae", "--batch-size", "50", "--json").out)
    assert (content["name"], content["data"], content["rows"]) == ("vae", "digits", 50)
    first = content["operations"][0]
    assert (first["phase"], first["kind"], first["makes"]) == (0, "Gather", "x")
    assert next(one["width"] for one in content["operations"] if one["makes"] == "encoder.0") == "64 -> 128, f = leaky_relu"
    assert [one["width"] for one in content["operations"] if one["kind"] == "Decode"] == ["128 -> 64, loss = bernoulli_logits"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Denze"], "'Denze' is nothing that can be explained; did you mean 'Dense'?"),
        (["Dense", "--latent", "4"], "Dense is no model: settings and --features are for the shapes of one"),
        (["vae", "--features", "0"], "--features 0 is not a number of features"),
        (["--html", "a.html"], "--html a.html: a page of what?"),
        (["--latent", "4"], "settings are for the shapes of a model: name one"),
        (["--step"], "--step needs a model or a preset, such as npae explain --step vae"),
        (["--step", "Dense"], "--step Dense: it is a model or a preset that has a training step"),
        (["--step", "gan"], "step 'compiled' does not cover"),
        (["--step", "vae", "--html", "a.html"], "--step reads the data, and prints: leave --features and --html out"),
        (["vae", "--set", "latnt=3"], "latnt"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_line(npae: Any, words: list[str], message: str) -> None:
    said = npae("explain", *words)
    assert said.status == 2
    assert message in said.err
    assert said.err.count("\n") == 1


def test_the_compiled_step_is_printed_operation_by_operation(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Plan] = []
    build = Plan.__init__

    def noted(plan: Plan, *arguments: Any) -> None:
        build(plan, *arguments)
        made.append(plan)

    monkeypatch.setattr(Plan, "__init__", noted)
    said = npae("explain", "--step", "vae", "--batch-size", "50")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("a training step of vae on digits, batches of 50")
    operations = [(type(operation).__name__, name) for phase in made[-1].phases for work in phase for name, operation in work.operations]
    assert len(lines) == len(operations) + 2
    for line, (kind, name) in zip(lines[2:], operations, strict=True):
        assert kind in {one.__name__ for one in KINDS}
        assert f"{kind} " in line
        assert name in line
        assert re.search(r"npae/kernels/step/\w+\.py:\d+", line)
        assert "a share of a layer" not in line  # the rest of what the page says of Decode
    assert re.search(r"Dense +encoder\.0 +64 -> 128, f = leaky_relu", said.out)
