"""The exercises of notebook 17: a screen that is drawn in time, and a text as text."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from html.parser import HTMLParser
from typing import Any, cast

from .exercise import exercise, shown

BURST, STEADY = 200, 300  # texts
PATIENCE = 2.0  # seconds for what is due within one


@exercise("17.1")
async def paced_screen(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 17.1: a class that draws a growing text in time."""
    import asyncio  # not at the top: `import helpers` stays quick

    if not callable(answer):
        yield "write a class Paced, with show(text)"
    drawn: list[str] = []
    screen = cast("Callable[[Callable[[str], None]], Any]", answer)(drawn.append)
    if not callable(getattr(screen, "show", None)):
        yield "it has no show(text)"
    texts = ["".join(f"word{n} " for n in range(end)) for end in range(1, BURST + 1)]
    if isinstance(screen.show(texts[0]), Awaitable):
        yield "write show with def, without async: it returns at once"
    if not drawn:
        yield "the first text is not drawn at once"
    if hint := at_once(screen, texts):
        yield hint
    if len(drawn) > 3:
        yield f"{BURST} texts come at once, and it draws {len(drawn)} times"
    if not await comes(lambda: drawn[-1] == texts[-1]):
        if texts[-1].endswith(drawn[-1]):
            yield "draw the whole text so far, not the new part of it"
        yield "the last words are not drawn, for no text comes after them"
    if odd := [text for text in drawn if text not in texts]:
        yield f"draw what show was given; it draws {shown(odd[0])}"
    drawn.clear()
    begun, text = time.monotonic(), texts[-1]
    for n in range(STEADY):
        text += f"more{n} "
        screen.show(text)
        await asyncio.sleep(0.002)  # pace: of a quick model
    took, times = time.monotonic() - begun, len(drawn)
    if times > took * 20 + 3:
        yield f"it draws {times} times in {took:.1f} s, while a text comes every 2 ms"
    if times < 4:
        yield f"it waits for a pause: it draws {times} times in {took:.1f} s of writing"
    if not await comes(lambda: bool(drawn) and drawn[-1] == text):
        yield "the last words of a steady answer are not drawn"
    drawn.clear()
    await asyncio.sleep(0.3)  # pace: nothing is said
    if len(drawn) > 1:
        yield "it goes on drawing when nothing is new"
    text += "at last "
    screen.show(text)
    if not await comes(lambda: bool(drawn) and drawn[-1] == text):
        yield "after a pause, it draws nothing more"


def at_once(screen: Any, texts: list[str]) -> str:
    """Show all texts without a pause; say if that takes longer than it may."""
    begun = time.monotonic()
    for text in texts:
        screen.show(text)
        if time.monotonic() - begun > PATIENCE:
            return "show does not return at once: the loop cannot wait in it"
    return ""


async def comes(condition: Callable[[], bool]) -> bool:
    """Wait until it holds, for a while; tell whether it does."""
    import asyncio  # not at the top: `import helpers` stays quick

    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return condition()


NAMES = ["You", "Model", "<i>Eve</i>", 'A & "B"', "Zoë", "{text} {} %s $text"]
TEXTS = [
    "Hello",
    "a < b && c > d",
    "<script>alert(1)</script>",
    'Look: <img src=x onerror="alert(1)">',
    "</div><b>Model</b><div>",
    "one\n  two\n\nthree",
    "&lt;b&gt; &amp;amp; &#60;",
    'it\'s "said"',
    "{who} {text} %s <!-- é 語 🙂",
    "\n  code  \n",
    r"C:\new \1 \g<0>",
    "",
]


@exercise("17.2")
def bubble(answer: object) -> Iterator[str]:
    """Exercise 17.2: the HTML of a message, in which a text stays a text."""
    if not callable(answer):
        yield "write def bubble(who, text), and return a text"
    write = cast("Callable[[str, str], object]", answer)
    looks = set()
    for who in NAMES:
        for text in TEXTS:
            html = write(who, text)
            if not isinstance(html, str):
                yield f"return a text, not {shown(html)}"
            found = Parts(cast("str", html))
            yield from found.faults(who, text)
            looks.add(found.look)
            if len(looks) > 1:
                yield f"its attributes depend on what was said: {shown(html)}"


class Parts(HTMLParser):
    """What a browser makes of a message: its tags, and the text in each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inside: dict[str, str] = {"b": "", "div": "", "": ""}
        self.attributes: list[tuple[str, str | None]] = []
        self.open = ""
        self.feed(html)
        self.close()

    @property
    def look(self) -> str:
        """The attributes."""
        return str(self.attributes)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that opens."""
        self.tags.append(tag)
        self.attributes += attrs
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        """Note a tag that closes."""
        self.tags.append(f"/{tag}")
        self.open = ""

    def handle_comment(self, data: str) -> None:
        """Note a comment, in which text is lost."""
        self.tags.append("!--")

    def handle_decl(self, decl: str) -> None:
        """Note a declaration, in which text is lost."""
        self.tags.append("!")

    def handle_data(self, data: str) -> None:
        """Add to the text of the tag that is open."""
        self.inside[self.open] = self.inside.get(self.open, "") + data

    def faults(self, who: str, text: str) -> Iterator[str]:
        """Yield what is wrong with the message."""
        asked = f"for {shown(who)} and {shown(text)}"
        frame = ["b", "/b", "div", "/div"]
        if self.tags != frame:
            foreign = [tag for tag in self.tags if tag.lstrip("/") not in ("b", "div")]
            if not self.tags:
                yield "put the name into <b>…</b>, and the text into <div>…</div>"
            if foreign:
                yield f"{asked}: there is a tag <{foreign[0]}> in it"
            yield f"{asked}: its tags are {shown(self.tags)}, not {frame}"
        if any(name.startswith("on") for name, _ in self.attributes):
            yield "an attribute that begins with `on` is a program"
        for tag, said in ("b", who), ("div", text):
            got = self.inside[tag]
            if got == said:
                continue
            if "&lt;" in got and "&lt;" not in said:
                yield f"{asked}: escaped twice, it reads {shown(got)}"
            yield f"{asked}: in <{tag}> stands {shown(got)}"
        if self.inside[""].strip():
            outside = shown(self.inside[""].strip())
            yield f"{asked}: {outside} stands outside of the tags"
