"""Markdown of a model: what is formatted, and what stays a text."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.panel.markdown import Growing, as_it_is, to_html

ALLOWED = {
    *("p", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "br"),
    *("a", "hr", "table", "thead", "tbody", "tr", "th", "td", "div"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
ATTRIBUTES = {"href", "title", "target", "rel", "class", "style", "start"}

HOSTILE = [
    "<script>window.ran = 1</script>",
    '<img src=x onerror="window.ran = 1">',
    "text <svg onload=window.ran=1> text",
    "<style>* { display: none }</style>",
    "<!-- --><iframe src=//evil.example></iframe>",
    "<div>\n\n<b onclick=window.ran=1>b</b>\n\n</div>",
    "[a](javascript:window.ran=1)",
    "[a](JaVaScRiPt:window.ran=1)",
    "[a](&#106;avascript:window.ran=1)",
    "[a](java&#x0A;script:window.ran=1)",
    "[a](data:text/html,<script>window.ran=1</script>)",
    "[a](vbscript:x) [b](file:///etc/passwd) [c](/lab/tree/x) [d](#x) [e](//evil.org)",
    "[a]\n\n[a]: javascript:window.ran=1",
    "<javascript:window.ran=1>",
    "![a](http://127.0.0.1:9/leak.png) ![b][c]\n\n[c]: http://127.0.0.1:9/leak.svg",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    '[a](https://a.example "t\\" onmouseover=window.ran=1 x=\\"")',
    '```x" onload=window.ran=1\n</code></pre><script>window.ran=1</script>\n```',
    "`</code><script>window.ran=1</script>`",
    "|<script>window.ran=1</script>|\n|:-:|\n|<img src=x onerror=window.ran=1>|",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "\x00<script>\x00",
    "# <img src=x onerror=window.ran=1>",
]


class Tags(HTMLParser):
    """Every tag of some HTML, and its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(html: str) -> None:
    for tag, attributes in Tags(html).found:
        assert tag in ALLOWED
        assert attributes.keys() <= ATTRIBUTES
        assert attributes.get("style") in (None, *ALIGNED)
        if tag == "a":
            href = attributes["href"] or ""
            assert href.lower().startswith(("https://", "http://", "mailto:"))
            assert attributes["rel"] == "noopener noreferrer"


ALIGNED = ("text-align:left", "text-align:center", "text-align:right")


def test_markdown_is_formatted() -> None:
    html = to_html(
        "# One\n\n**two** `three`\n\n- four\n\n|a|\n|-|\n|b|\n\n[five](https://a.b)"
    )
    for tag in "<h1>", "<strong>", "<code>", "<li>", "<td>", '<a href="https://a.b"':
        assert tag in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    assert_harmless(to_html(text))
    assert_harmless(Growing().html(text))
    assert [tag for tag, _ in Tags(as_it_is(text)).found] == ["div"]


PIECES = st.sampled_from(
    [*HOSTILE, *"abc <>&\"'`*_[](){}#-+!|~\n\n\n", "\n\n", "```\n", "    ", "1. ", "\t"]
)


@given(st.lists(PIECES, max_size=30).map("".join))
@settings(max_examples=100, deadline=None)
def test_no_mixture_makes_a_tag(text: str) -> None:
    assert_harmless(to_html(text))


LONG = """\
# Title

A paragraph with **bold**, which
goes on.

- a list
- of items

  with a paragraph in one

      and code in it
1. another
2. list

> a quote
lazy

```python
print("<b>")

# more
```

| a | b |
|---|---|
| 1 | 2 |
Setext
======
---
    code

the end *of it"""


def cuts(text: str, size: int) -> Iterator[str]:
    yield from (text[: n + size] for n in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 60, 1000])
def test_any_way_to_grow_gives_the_same(size: int) -> None:
    growing = Growing()
    for text in cuts(LONG, size):
        assert growing.html(text) == to_html(text)


@given(st.lists(PIECES.filter(lambda p: "]:" not in p), max_size=25))
@settings(max_examples=100, deadline=None)
def test_a_mixture_grows_to_the_same(pieces: list[str]) -> None:
    growing, text = Growing(), ""
    for piece in pieces:
        text += piece
        growing.html(text)
    if "]:" not in text:
        assert growing.html(text) == to_html(text)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\v\n", "\x85", "\u2028"])
def test_other_ends_of_lines(end: str) -> None:
    growing = Growing()
    for text in cuts(LONG.replace("\n", end), 7):
        growing.html(text)
    assert_harmless(growing.html(text))
    assert growing.html(text) == to_html(text)
