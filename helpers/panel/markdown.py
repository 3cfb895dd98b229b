"""Make HTML of Markdown that somebody else has written, while it still grows.

A widget puts its HTML into the page as it is, and the page can run code in the kernel.
So a text becomes HTML in here and nowhere else. markdown-it escapes raw HTML. Beside
that, a link leads to the web or to a mailbox, and no image is loaded: the address of an
image is a message to its server, and a model can be talked into writing one.
"""

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

SCHEMES = ("https://", "http://", "mailto:")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.validateLink = _leads_out  # type: ignore[method-assign]
    parser.add_render_rule("link_open", _link)
    return parser


def _leads_out(url: str) -> bool:
    return url.lower().startswith(SCHEMES)


def _link(
    renderer: RendererProtocol,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Open a link in a tab of its own, which learns nothing of this page."""
    tokens[index].attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
    return renderer.renderToken(tokens, index, options, env)  # type: ignore[attr-defined, no-any-return]


PARSER = _parser()


def to_html(markdown: str) -> str:
    """Return the HTML of a Markdown text, in which nothing runs and nothing loads."""
    return str(PARSER.render(markdown))


def as_it_is(text: str) -> str:
    """Return the HTML that shows a text with each of its characters."""
    return f"<div class='course-plain'>{escape(text)}</div>"


class Growing:
    """The HTML of a Markdown text that grows at its end.

    Only the last block of a text can still change (a paragraph, a list, a piece of
    code), so only that is rendered again. The one exception are definitions of links,
    `[name]: https://…`, that come after their use: `to_html` of the whole has them.
    """

    def __init__(self) -> None:
        self._done = ""  # the HTML of all blocks but the last
        self._at = 0  # where the last one begins

    @property
    def done(self) -> int:
        """How many characters of the HTML no longer change."""
        return len(self._done)

    def html(self, text: str) -> str:
        """Return the HTML of a text that begins with the one of the call before."""
        rest = text.replace("\r\n", "\n").replace("\r", "\n")[self._at :]
        tokens = PARSER.parse(rest)
        starts = [n for n, token in enumerate(tokens) if _begins(token)]
        lines = rest.split("\n")
        # What a line begins may be seen at the end of the next one, as of a table.
        while starts and _line(tokens[starts[-1]]) + 2 >= len(lines):
            starts.pop()
        if len(starts) > 1:
            last = starts[-1]
            self._done += str(PARSER.renderer.render(tokens[:last], PARSER.options, {}))
            self._at += sum(len(line) + 1 for line in lines[: _line(tokens[last])])
            tokens = tokens[last:]
        return self._done + str(PARSER.renderer.render(tokens, PARSER.options, {}))


def _line(token: Token) -> int:
    return token.map[0] if token.map else 0


def _begins(token: Token) -> bool:
    """Tell whether a top-level block begins with this token."""
    return token.level == 0 and token.nesting >= 0 and token.map is not None
