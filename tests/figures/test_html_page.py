"""The web page: every text escaped, nothing fetched, tags that close, and the same bytes for the same content."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

from npae.figures.html_page import Page

VOID = {"meta", "img"}
EVIL = '<script>alert("&\'")</script>'


class Reader(HTMLParser):
    """Remembers texts, attributes and which tags are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes, the last one first."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        if self.open[-1:] != ["style"] and data.strip():
            self.texts.append(data)


def page_of(words: str) -> Page:
    """A page with these words in every place."""
    page = Page(words)
    page.section(words)
    page.paragraph(words)
    page.paragraph(words, kind="caveat")
    page.table([words, words], [[words, words]], numbers=True)
    page.picture(words, words, b"a picture")
    return page


def read(text: str) -> Reader:
    """The page, all of whose tags have to close."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_every_text_is_escaped_and_comes_back_as_it_was() -> None:
    reader = read(page_of(EVIL).text())
    assert "script" not in {tag for tag, _ in reader.seen}
    assert reader.texts.count(EVIL) == 12  # title twice, the list of sections, heading, two paragraphs, four cells, picture: name, caption
    assert next(attributes["alt"] for tag, attributes in reader.seen if tag == "img") == EVIL


def test_nothing_is_fetched() -> None:
    text = page_of("words").text()
    reader = read(text)
    for _, attributes in reader.seen:
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.seen}
    assert "@import" not in text
    assert "url(" not in text


def test_a_picture_is_in_the_page_itself() -> None:
    source = next(attributes["src"] for tag, attributes in read(page_of("words").text()).seen if tag == "img")
    assert source is not None
    head, _, content = source.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(content) == b"a picture"


def test_each_section_can_be_reached_from_the_top() -> None:
    page = Page("a run")
    for name in ("Terms", "Loss & KL"):
        page.section(name)
    reader = read(page.text())
    links = [attributes["href"] for tag, attributes in reader.seen if tag == "a"]
    assert links == [f"#{attributes['id']}" for tag, attributes in reader.seen if tag == "h2"]
    assert len(set(links)) == 2


def test_the_page_says_its_encoding_its_language_and_that_it_fits_a_phone_and_the_dark() -> None:
    text = page_of("Größe").text()
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta charset="utf-8">' in text
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert "Größe" in text


def test_the_same_content_gives_the_same_page() -> None:
    assert page_of("words").text() == page_of("words").text()
