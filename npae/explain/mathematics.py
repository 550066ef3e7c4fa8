"""A formula written in LaTeX, as MathML for a page and as one line of text for a terminal.

    mathml(r"\\frac{\\partial L}{\\partial W_{io}}")        <math> ... </math>, which every browser typesets without a library
    plain(r"\\frac{\\partial L}{\\partial W_{io}}")         ∂L/∂W_io

Both come from one tree, latex2mathml's, so what a terminal says and what a page shows cannot part.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, tostring

SPACED = set("=+−-<>≤≥≠≈∈→←∼⊙·×∘≡∝↦∣⊕") | {":="}  # operators with a space on either side
OPENING, CLOSING = set("([{⟨"), set(")]},;⟩!")
PREFIXES = set("∑∏∂√∇")
FUNCTIONS = r"\\(?:log|tanh|cos|sin|max|min)\b"  # a browser sets them without the space that LaTeX leaves
BARS, WIDE = "‖|", "\t"  # of norms and absolute values; a space that parts two formulas
WRITTEN = {
    "−": "-",
    "⊤": "T",
    "∑": "Σ",
    "∏": "Π",
    "⊙": "o",
    "∘": "o",
    "\xa0": " ",
    "‖": "||",
    "∣": "|",
    "∼": "~",
    "′": "'",
    "^": "hat",
    "¯": "bar",
}


def mathml(latex: str, *, block: bool = True) -> str:
    """A <math> element; on a line of its own, or with `block` False within a text."""
    spaced = re.sub(rf"(?<=[\w)}}\]])(?<!d) ?({FUNCTIONS})", r"\\, \1", latex)
    spaced = re.sub(rf"({FUNCTIONS}) ?(?=[^\s(_^{{}}])(?!\\left)", r"\1\\, ", spaced)
    math = _tree(spaced)
    math.set("display", "block" if block else "inline")
    for element in math.iter():
        if element.text == "‖":
            element.set("stretchy", "false")
        if element.tag in ("msup", "msubsup") and element[-1].text == "′":  # a raised sign already: raised once more it is a dot
            _beside(element)
    return tostring(math, encoding="unicode")


def _beside(element: Element) -> None:
    """f with a prime above, as f and a prime side by side."""
    *below, prime = list(element)
    base = below[0]
    if len(below) == 2:
        base = Element("msub")
        base.extend(below)
    prime.set("lspace", "0")
    prime.set("rspace", "0")
    element[:] = [base, prime]
    element.tag = "mrow"


def _tree(latex: str) -> Element:
    """latex2mathml's tree, with the characters themselves in it."""
    from latex2mathml.converter import convert_to_element

    math: Element = convert_to_element(latex, display="block")
    for element in math.iter():
        element.text = html.unescape(element.text) if element.text else None
    return math


def plain(latex: str) -> str:
    """One line that reads as the formulas of the docstrings do."""
    return re.sub(r" *\t+ *", "    ", re.sub(r" +", " ", _line(list(_tree(latex))))).strip()


def _line(elements: Sequence[Element]) -> str:
    """Elements side by side, spaced as one writes by hand."""
    line, before, inside = "", "", False  # what stood there last, to see whether a minus is a sign; whether a norm is open
    for element, follower in itertools.zip_longest(elements, elements[1:]):
        word, symbol = _word(element), _symbol(element)
        sign = word in ("-", "+") and (not before or before in SPACED or before in OPENING or before in ",;\t")
        if symbol in SPACED and not sign:
            line = f"{line.rstrip(' ')} {word} "
        elif symbol == "‖":
            line, inside = (line if inside or not before or before in OPENING else line.rstrip(" ") + " ") + word, not inside
        elif sign or symbol in OPENING or symbol == "|" or (symbol in PREFIXES and element.tag == "mo"):
            line += word + (" " if word in "ΣΠ" else "")
        elif symbol in CLOSING:
            line = line.rstrip(" ") + word + (" " if symbol in ",;" or _starts_a_word(follower) else "")
        elif element.tag == "mi" and word == "d" and follower is not None:
            line += word  # dy is one name
        else:
            line += word + (" " if _starts_a_word(follower) or _apart(element, follower) else "")
        before = symbol or word
    return line


def _symbol(element: Element) -> str:
    """The operator's own sign, also where something stands above or below it; nothing for anything else."""
    if element.tag in ("msub", "msup", "msubsup") and _symbol(element[0]) in CLOSING | set(BARS):
        return _symbol(element[0])
    return (element.text or "").strip() if element.tag == "mo" else ""


def _starts_a_word(element: Element | None) -> bool:
    """Whether a space belongs before it."""
    symbol = _symbol(_first(element)) if element is not None else ""
    return element is not None and element.tag != "mspace" and (not symbol or symbol in PREFIXES or symbol.isalpha())


def _apart(element: Element, follower: Element | None) -> bool:
    """Whether the bracket that follows is a factor, and not an argument: after a sum, a fraction or a word."""
    if follower is None or _symbol(_first(follower)) not in OPENING | set(BARS):
        return False
    over = element.tag in ("munder", "munderover", "msub", "msubsup") and _symbol(element[0]) in PREFIXES
    return over or element.tag in ("mfrac", "mtext")


def _first(element: Element) -> Element:
    return _first(element[0]) if element.tag == "mrow" and len(element) else element


def _word(element: Element) -> str:
    """One element."""
    parts = list(element)
    match element.tag:
        case "mi" | "mn" | "mo" | "mtext":
            text = element.text or ""
            return WRITTEN.get(text, text) if element.tag != "mtext" else text.replace("\xa0", " ")
        case "mspace":
            return WIDE if float(element.get("width", "0em").removesuffix("em")) >= 1 else " "
        case "mfrac":
            return f"{_grouped(parts[0], over=True)}/{_grouped(parts[1])}"
        case "msqrt":
            return f"sqrt({_line(parts)})"
        case "msub" | "munder":
            return f"{_word(parts[0])}_{_script(parts[1])}"
        case "msup" if _word(parts[1]) == "'":
            return f"{_word(parts[0])}'"
        case "msup":
            return f"{_based(parts[0])}^{_script(parts[1])}"
        case "mover":
            accent = _word(parts[1])
            return f"{_word(parts[0])}~" if accent == "~" else f"{_word(parts[0])}_{accent}"
        case "msubsup" if _word(parts[2]) == "'":
            return f"{_word(parts[0])}_{_script(parts[1])}'"
        case "msubsup" | "munderover":
            return f"{_word(parts[0])}_{_script(parts[1])}^{_script(parts[2])}"
        case "mtable":
            return "; ".join(", ".join(_line(list(cell)) for cell in row) for row in parts)
        case _:
            return _line(parts)


def _based(element: Element) -> str:
    word = _word(element)
    return f"({word})" if " " in word and not word.startswith("(") else word


def _script(element: Element) -> str:
    """What stands above or below, in brackets where it is more than a name or a number."""
    word = _word(element).replace(" ", "")
    return word if re.fullmatch(r"[^\W\d][\w~*]*|\d+|-\d|\([^()]*\)", word) else f"({word})"


def _grouped(element: Element, *, over: bool = False) -> str:
    """A part of a fraction, in brackets where it is more than one factor (above the line: more than one term)."""
    word = _word(element).strip()
    bare = _outside_brackets(word)
    if over:
        needs = re.search(r" [-+=o] |^-", bare) is not None
    else:
        needs = re.search(r"[ /]", bare) is not None or re.search(r"(?<!sqrt)(?<=[^\W_])\(", word) is not None
    return f"({word})" if needs else word


def _outside_brackets(text: str) -> str:
    """What is left of a text without its brackets and what they hold."""
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\|\|[^|]*\|\|", "", text)) != text:
        text = shorter
    return text
