"""The page around a lesson's JavaScript: HTML, style, and the buttons.

The file beside this one is that page. It needs from the lesson `readFetch` and
`readEventSource`, which read an answer, and `ask`, which shows it.
"""

from pathlib import Path

_PLACE = "<!-- the lesson's JavaScript -->"


def page(*javascript: str) -> str:
    """Return the page, whole: one document, and nothing to load from elsewhere."""
    shell = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    before, after = shell.split(_PLACE)
    return before + "\n".join(javascript) + after
