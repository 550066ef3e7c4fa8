"""An explanation as one web page: formulas as MathML, forward beside backward, nothing from the network."""

from __future__ import annotations

import html

from npae.explain import matrices
from npae.explain.explanation import READING, Explanation
from npae.explain.mathematics import mathml
from npae.explain.sources import Source
from npae.figures.html_page import Page

STYLE = """
body { max-width: 76rem; }
pre { margin: 0; padding: 0.7rem 0.9rem; overflow-x: auto; border-radius: 6px; background: var(--box);
  font-size: 0.82rem; line-height: 1.45; }
math { font-size: 1.1rem; }
.formula { overflow-x: auto; overflow-y: hidden; padding: 0.2rem 0 0.4rem 1.5rem; }
.formula math { display: inline math; math-style: normal; }
.numbers { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; align-items: center; padding: 0.2rem 0 0.4rem 1.5rem; overflow-x: auto; }
.numbers math { font-size: 0.95rem; }
ol.steps > li { margin-bottom: 1.2rem; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
.sides > div { min-width: 0; }
.sides > :nth-child(n + 3) { grid-column: 1 / -1; }
.cuda pre { max-height: 40rem; }
.k, .kn, .kc, .ow, .kd, .kt, .kr, .cp { color: #a626a4; }
.s2, .sd, .s1, .sa { color: #3f7f3a; } .c1 { color: var(--faint); } .mi, .mf { color: #986801; }
.nf, .nd { color: #2257c4; }
@media (prefers-color-scheme: dark) {
  .k, .kn, .kc, .ow, .kd, .kt, .kr, .cp { color: #d58cf0; } .s2, .sd, .s1, .sa { color: #9ac97f; } .mi, .mf { color: #e0ab6d; }
  .nf, .nd { color: #7fb0ff; }
}
""".strip()


def page(explanation: Explanation) -> str:
    """The whole file."""
    made = Page(explanation.title, style=STYLE)
    made.paragraph(explanation.summary[0].upper() + explanation.summary[1:] + ".")
    made.section("Formula and source")
    made.parts.append(f"<pre>{html.escape(explanation.document)}</pre>")
    if explanation.shapes:
        made.section("Shapes")
        made.paragraph(f"Of {explanation.configuration}.", kind="quiet")
        made.table(("node", "kind", "parameters", "in", "out", "gradient out"), [row.cells for row in explanation.shapes])
    made.section("Forward and backward" if explanation.group not in ("kernels", "optimisers") else "Code")
    made.parts.append(f'<div class="sides">{"".join(_side(side) for side in explanation.sides)}</div>')
    if explanation.kernels:
        made.paragraph(explanation.calls[0].upper() + explanation.calls[1:] + ".", kind="quiet")
    made.section("Derivation")
    made.paragraph(READING.format(times="⊙"), kind="quiet")
    made.paragraph("Given, in the example whose numbers stand below each step:")
    made.parts.append(_numbers(explanation.followed.worked.given))
    made.parts.append(f'<ol class="steps">\n{_steps(explanation)}\n</ol>')
    made.section("Held to the code")
    for line in explanation.verdicts:
        made.paragraph(line)
    return made.text()


def _steps(explanation: Explanation) -> str:
    items = []
    for one, values in zip(explanation.followed.derivation.steps, explanation.followed.numbers, strict=True):
        formula = f'<div class="formula">{mathml(one.formula)}</div>' if one.formula else ""
        items.append(f"<li>{html.escape(one.words)}{formula}{_numbers(values) if values else ''}</li>")
    return "\n".join(items)


def _numbers(values: object) -> str:
    assert isinstance(values, dict)
    return f'<div class="numbers">{"".join(mathml(matrices.latex(name, value), block=False) for name, value in values.items())}</div>'


def _side(side: Source) -> str:
    """Source with its words coloured, in a box of its own."""
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    coloured = highlight(side.text, get_lexer_by_name(side.language), HtmlFormatter(nowrap=True))
    heading = f'<p><b>{html.escape(side.title)}</b> <span class="quiet">{html.escape(side.place)}</span></p>'
    return f'<div class="{side.language}">{heading}<pre>{coloured}</pre></div>'
