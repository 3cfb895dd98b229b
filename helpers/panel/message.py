"""A message on the page: what no longer changes of it is not drawn again.

A browser lays out all of a widget whose value changes, which takes the longer, the
longer the answer is. So a page of text that is done has a widget of its own.
"""

import ipywidgets as widgets  # type: ignore[import-untyped]

from .markdown import Growing, to_html

PAGE = 2000
"""Characters of HTML, at least, that are done before the next widget begins."""


class Message:
    """What somebody says: `box` is its widget. It may grow, by `draw`, until `end`."""

    def __init__(self, who: str, html: str = "") -> None:
        self.box = widgets.VBox([widgets.HTML(html)])
        self.box.add_class(f"course-{who.lower()}")
        self._text, self._growing = "", Growing()
        self._at = 0  # where in the HTML the last widget begins

    @property
    def html(self) -> str:
        """All that is shown."""
        return "".join(page.value for page in self.box.children)

    def draw(self, text: str) -> None:
        """Show a Markdown text: the one before and more, or one in its place."""
        if not text.startswith(self._text):
            self.box.children = self.box.children[:1]
            self._growing, self._at = Growing(), 0
        self._text = text
        html, last = self._growing.html(text), self.box.children[-1]
        done = self._growing.done
        if done - self._at < PAGE:
            last.value = html[self._at :]
            return
        last.value = html[self._at : done]
        self.box.children += (widgets.HTML(html[done:]),)
        self._at = done

    def end(self, text: str) -> None:
        """Show the whole text: a link may have been defined after its use."""
        if (html := to_html(text)) != self.html:
            self.box.children = self.box.children[:1]
            self.box.children[0].value = html
