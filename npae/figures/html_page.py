"""A web page in one file: headings, paragraphs, tables and pictures; no network, no script, readable on a phone and in the dark.

Every text is escaped on its way in. Pictures are data: URIs. The same content gives the same bytes.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field

STYLE = """
:root { color-scheme: light dark; --ink: #222; --faint: #666; --page: #fff; --line: #ddd; --box: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e4; --faint: #a5a5a5; --page: #16181b; --line: #3a3d42; --box: #22252a; } }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
h1 { margin: 0.5rem 0 0; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 1.5rem 0 0.3rem; }
p { margin: 0.3rem 0 0.8rem; }
.quiet { color: var(--faint); }
.caveat { padding: 0.6rem 0.9rem; border-left: 4px solid #d55e00; background: var(--box); }
nav a { margin-right: 1rem; }
a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.9rem 0.2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 6rem; }
figure { margin: 0; }
figcaption { margin-bottom: 0.5rem; }
img { max-width: 100%; height: auto; border-radius: 6px; background: #fff; }
@media (prefers-color-scheme: dark) { img { padding: 8px; box-sizing: border-box; } }
""".strip()


@dataclass
class Page:
    """A page under construction; `text()` is the file."""

    title: str
    style: str = ""  # rules of this page's own, after those of all
    parts: list[str] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)

    def section(self, name: str) -> None:
        """A heading that the list at the top links to."""
        self.sections.append(name)
        self.parts.append(f'<h2 id="{_anchor(name)}">{html.escape(name)}</h2>')

    def paragraph(self, words: str, *, kind: str = "") -> None:
        """A paragraph; `kind` is "quiet" or "caveat"."""
        self.parts.append(f'<p class="{kind}">{html.escape(words)}</p>' if kind else f"<p>{html.escape(words)}</p>")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = False) -> None:
        """Rows of texts under their headings; with `numbers` all columns but the first are aligned at the right."""

        def cell(tag: str, place: int, words: str) -> str:
            return f'<{tag} class="{"number" if numbers and place else "text"}">{html.escape(words)}</{tag}>'

        head = "".join(cell("th", place, words) for place, words in enumerate(headings))
        body = "\n".join("<tr>" + "".join(cell("td", place, words) for place, words in enumerate(row)) + "</tr>" for row in rows)
        top = f"<thead><tr>{head}</tr></thead>\n" if any(headings) else ""
        self.parts.append(f'<div class="wide"><table>\n{top}<tbody>\n{body}\n</tbody></table></div>')

    def picture(self, name: str, caption: str, png: bytes) -> None:
        """A picture under its name, with what it shows."""
        source = base64.b64encode(png).decode("ascii")
        self.parts.append(
            f'<h3 id="{_anchor(name)}">{html.escape(name)}</h3>\n<figure><figcaption class="quiet">{html.escape(caption)}</figcaption>\n'
            f'<img alt="{html.escape(caption)}" src="data:image/png;base64,{source}"></figure>'
        )

    def text(self) -> str:
        """The whole file."""
        title = html.escape(self.title)
        links = "\n".join(f'<a href="#{_anchor(name)}">{html.escape(name)}</a>' for name in self.sections)
        head = (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>\n{STYLE}\n{self.style}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        )
        return head + f"<nav>\n{links}\n</nav>\n" + "\n".join(self.parts) + "\n</body>\n</html>\n"


def _anchor(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
