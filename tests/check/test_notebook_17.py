"""The checks of notebook 17: a paced screen, and a text that is no HTML."""

import asyncio
import html
import re
import threading
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape as of_xml

import pytest

from helpers import check
from helpers.panel.screen import Screen
from tests.support.hostile import Hostile

Draw = Callable[[str], object]
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Timed:
    """As the notebook's solution."""

    pause = 0.05

    def __init__(self, draw: Draw) -> None:
        self.draw, self.text, self.drawn = draw, "", ""
        self.timer: object = None

    def show(self, text: str) -> None:
        self.text = text
        if self.timer is None:
            self.step()

    def step(self) -> None:
        self.timer = None
        if self.drawn != self.text:
            self.drawn = self.text
            self.draw(self.text)
            self.timer = asyncio.get_running_loop().call_later(self.pause, self.step)


class Slower(Timed):
    pause = 0.1


class WithTask(Timed):
    """A task for each pause."""

    def step(self) -> None:
        self.timer = None
        if self.drawn != self.text:
            self.drawn = self.text
            self.draw(self.text)
            self.timer = asyncio.create_task(self.wait())

    async def wait(self) -> None:
        await asyncio.sleep(0.05)  # pace: of the screen
        self.step()


class OneTask:
    """One task for ever, which waits for an event."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.text, self.new = draw, "", asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        self.text = text
        self.new.set()
        if self.task is None:
            self.new.clear()
            self.draw(text)
            self.task = asyncio.create_task(self.go_on())

    async def go_on(self) -> None:
        while True:
            await asyncio.sleep(0.05)  # pace: of the screen
            await self.new.wait()
            self.new.clear()
            self.draw(self.text)


class ByTheClock:
    """Draws at once if it may, else sets a timer for when it may."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.last, self.timer = draw, -1.0, False
        self.text = ""

    def show(self, text: str) -> None:
        self.text = text
        loop = asyncio.get_running_loop()
        left = self.last + 0.05 - loop.time()
        if left <= 0 and not self.timer:
            self.now()
        elif not self.timer:
            self.timer = True
            loop.call_later(left, self.now)

    def now(self) -> None:
        self.timer, self.last = False, asyncio.get_running_loop().time()
        self.draw(self.text)


class InAThread:
    """The timer is a thread."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.text, self.drawn = draw, "", ""
        self.busy = False

    def show(self, text: str) -> None:
        self.text = text
        if not self.busy:
            self.step()

    def step(self) -> None:
        self.busy = self.drawn != self.text
        if self.busy:
            self.drawn = self.text
            self.draw(self.drawn)
            threading.Timer(0.05, self.step).start()  # pace: of the screen


class Replaced:
    """`show` is a function of the object, not of the class."""

    def __init__(self, draw: Draw) -> None:
        self.show = Timed(draw).show


def function(draw: Draw) -> Timed:
    return Timed(draw)


class Twice(Timed):
    """Draws the last text again, once: to no harm."""

    def step(self) -> None:
        again = self.drawn != self.text
        super().step()
        if not again and getattr(self, "spare", True):
            self.spare = False
            self.draw(self.text)


RIGHT_SCREENS = [
    *(Timed, Slower, WithTask, OneTask, ByTheClock, InAThread, Replaced, function),
    *(partial(Timed), Twice),
]


class EachTime(Timed):
    def show(self, text: str) -> None:
        self.draw(text)


class Skips(Timed):
    last = 0.0

    def show(self, text: str) -> None:
        if time.monotonic() - self.last >= 0.05:
            self.draw(text)
            self.last = time.monotonic()


class Sleeps(Timed):
    def show(self, text: str) -> None:
        self.draw(text)
        time.sleep(0.05)  # pace: of a screen that blocks


class Asynchronous(Timed):
    async def show(self, text: str) -> None:  # type: ignore[override]
        self.draw(text)


class Late(Timed):
    def show(self, text: str) -> None:
        self.text = text
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(0.05, self.step)


class Debounced(Timed):
    """The first at once, then each text starts the timer again."""

    def show(self, text: str) -> None:
        if not self.text:
            self.draw(text)
        self.text = text
        if self.timer:
            self.timer.cancel()  # type: ignore[attr-defined]
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(0.05, lambda: self.draw(self.text))


class TooOften(Timed):
    pause = 0.02


class EverySeventieth(Timed):
    count = -1

    def show(self, text: str) -> None:
        self.count += 1
        if self.count % 70 == 0:
            self.draw(text)


class OnlyNew(Timed):
    def step(self) -> None:
        self.timer = None
        if self.drawn != self.text:
            new = self.text.removeprefix(self.drawn)
            self.drawn = self.text
            self.draw(new)
            self.timer = asyncio.get_running_loop().call_later(0.05, self.step)


class Endless(Timed):
    def step(self) -> None:
        self.draw(self.text)
        self.timer = asyncio.get_running_loop().call_later(0.05, self.step)


class Oldest(Timed):
    """The timer draws what was there when it was set."""

    def show(self, text: str) -> None:
        if self.timer is None:
            self.draw(text)
            self.timer = asyncio.get_running_loop().call_later(0.05, self.free)

    def free(self) -> None:
        self.timer = None


class NoShow:
    def __init__(self, draw: Draw) -> None:
        self.draw = draw


class First(Timed):
    def show(self, text: str) -> None:
        if not self.drawn:
            self.drawn = text
            self.draw(text)


class Frozen(Timed):
    """Does not note that its timer has gone off."""

    def step(self) -> None:
        if self.drawn != self.text:
            super().step()


SLOWLY_WRONG: list[tuple[object, str]] = [
    (Skips, "the last words are not drawn"),
    (Debounced, "it waits for a pause"),
    (TooOften, "while a text comes every 2 ms"),
    (EverySeventieth, "the last words are not drawn"),
    (OnlyNew, "draw the whole text so far"),
    (Endless, "it goes on drawing when nothing is new"),
    (Oldest, "the last words are not drawn"),
    (First, "the last words are not drawn"),
    (Frozen, "after a pause, it draws nothing more"),
    (Screen, "draw what show was given"),
]

WRONG_SCREENS: list[tuple[object, str]] = [
    (EachTime, "200 texts come at once, and it draws 201 times"),
    (Sleeps, "show does not return at once"),
    (Asynchronous, "write show with def, without async"),
    (Late, "the first text is not drawn at once"),
    (NoShow, "it has no show(text)"),
    (Timed(print), "write a class Paced"),
    ("Paced", "write a class Paced"),
    (Hostile(), "it raises RuntimeError: no"),
]


async def hint_for(answer: object) -> str | None:
    """Return the first hint, without what `exercise` makes of it."""
    async with aclosing(check.paced_screen.__wrapped__(answer)) as hints:  # type: ignore[attr-defined]
        hint: str | None = await anext(hints, None)
        return hint


async def test_the_screen_is_paced(said: Callable[[], str]) -> None:
    # All at once: each takes a second, in which it waits.
    hints = await asyncio.gather(*map(hint_for, RIGHT_SCREENS))
    assert hints == [None] * len(RIGHT_SCREENS)
    await check.paced_screen(Timed)
    assert said() == "correct (17.1)"


async def test_the_screen_is_not_paced() -> None:
    answers, expected = zip(*SLOWLY_WRONG, strict=True)
    hints = await asyncio.gather(*map(hint_for, answers))
    for hint, part in zip(hints, expected, strict=True):
        assert part in str(hint)


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("answer", "hint"), WRONG_SCREENS)
async def test_the_screen_is_none(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    await check.paced_screen(answer)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


async def test_there_is_no_screen_yet(said: Callable[[], str]) -> None:
    await check.paced_screen(None)
    assert said() == "not tried yet"


def escaped(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}</b><div>{html.escape(text)}</div>"


def unquoted(who: str, text: str) -> str:
    who, text = html.escape(who, quote=False), html.escape(text, quote=False)
    return f"<b>{who}</b> <div class='said'>{text}</div>"


def by_hand(who: str, text: str) -> str:
    def safe(said: str) -> str:
        return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    return "<b>" + safe(who) + "</b>\n<div>" + safe(text) + "</div>\n"


def only_what_must_be(who: str, text: str) -> str:
    return escaped(who, text).replace("&gt;", ">")


def by_xml(who: str, text: str) -> str:
    return f"<b>{of_xml(who)}</b><div>{of_xml(text)}</div>"


def by_tree(who: str, text: str) -> str:
    name, said = ElementTree.Element("b"), ElementTree.Element("div")
    name.text, said.text = who, text
    parts = [
        ElementTree.tostring(each, "unicode", short_empty_elements=False)
        for each in (name, said)
    ]
    return "".join(parts)


def by_number(who: str, text: str) -> str:
    def safe(said: str) -> str:
        return "".join(f"&#{ord(letter)};" for letter in said)

    return f"<b>{safe(who)}</b><div>{safe(text)}</div>"


def joined(who: str, text: str) -> str:
    return "".join(
        ["<b>", html.escape(who), "</b>", "<div>", html.escape(text), "</div>"]
    )


def capitals(who: str, text: str) -> str:
    return f"<B>{html.escape(who)}</B><DIV>{html.escape(text)}</DIV>"


def styled(who: str, text: str) -> str:
    said = html.escape(text)
    return (
        f'<b class="w">{html.escape(who)}</b><div style="white-space:pre">{said}</div>'
    )


class Writer:
    def __call__(self, who: str, text: str) -> str:
        return escaped(who, text)


RIGHT_BUBBLES = [
    *(escaped, unquoted, by_hand, only_what_must_be, by_xml, by_tree, by_number),
    *(joined, capitals, styled, Writer(), partial(escaped)),
]


def plain(who: str, text: str) -> str:
    return f"<b>{who}</b><div>{text}</div>"


def name_as_it_is(who: str, text: str) -> str:
    return f"<b>{who}</b><div>{html.escape(text)}</div>"


def text_as_it_is(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}</b><div>{text}</div>"


def twice(who: str, text: str) -> str:
    return escaped(who, html.escape(text))


def all_of_it(who: str, text: str) -> str:
    return html.escape(plain(who, text))


def without_scripts(who: str, text: str) -> str:
    return plain(who, text.replace("<script>", "").replace("</script>", ""))


def without_ampersand(who: str, text: str) -> str:
    def safe(said: str) -> str:
        return said.replace("<", "&lt;").replace(">", "&gt;")

    return f"<b>{safe(who)}</b><div>{safe(text)}</div>"


def with_breaks(who: str, text: str) -> str:
    return escaped(who, text).replace("\n", "<br>")


def stripped(who: str, text: str) -> str:
    return escaped(who, " ".join(text.split()))


def in_a_title(who: str, text: str) -> str:
    said = html.escape(text)
    return f'<b>{html.escape(who)}</b><div title="{said}">{said}</div>'


def clickable(who: str, text: str) -> str:
    said = html.escape(text)
    return f'<b>{html.escape(who)}</b><div onclick="alert(1)">{said}</div>'


def in_spans(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}</b><span>{html.escape(text)}</span>"


def unclosed(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}<div>{html.escape(text)}"


def with_a_colon(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}</b>: <div>{html.escape(text)}</div>"


def swapped(who: str, text: str) -> str:
    return escaped(text, who)


def formatted(who: str, text: str) -> str:
    return f"<b>{html.escape(who)}</b><div>{html.escape(text)}</div>".format(
        who=who, text=text
    )


def formatted_later(who: str, text: str) -> str:
    return (f"<b>{html.escape(who)}</b>" + "<div>{}</div>").format(html.escape(text))


def replaced(who: str, text: str) -> str:
    page = "<b>{who}</b><div>{text}</div>".replace("{who}", html.escape(who))
    return page.replace("{text}", html.escape(text))


def substituted(who: str, text: str) -> str:
    return re.sub("TEXT", html.escape(text), escaped(who, "TEXT"))


def as_bytes(who: str, text: str) -> bytes:
    return escaped(who, text).encode()


def as_pair(who: str, text: str) -> Any:
    return html.escape(who), html.escape(text)


def printed(who: str, text: str) -> None:
    return print(escaped(who, text)) if who == "nobody" else None


WRONG_BUBBLES: list[tuple[object, str]] = [
    (plain, "there is a tag <script> in it"),
    (name_as_it_is, "there is a tag <i> in it"),
    (text_as_it_is, "there is a tag <script> in it"),
    (twice, "escaped twice"),
    (all_of_it, "put the name into <b>"),
    (without_scripts, "in <div> stands 'alert(1)'"),
    (without_ampersand, "in <div> stands '<b>"),
    (with_breaks, "there is a tag <br> in it"),
    (stripped, "in <div> stands 'one two three'"),
    (in_a_title, "its attributes depend on what was said"),
    (clickable, "an attribute that begins with `on`"),
    (in_spans, "there is a tag <span> in it"),
    (unclosed, "its tags are ['b', 'div'], not"),
    (with_a_colon, "':' stands outside of the tags"),
    (swapped, "in <b> stands 'Hello'"),
    (formatted, "its tags are ['b', '/b', 'div'], not"),
    (formatted_later, "it raises KeyError: 'text'"),
    (replaced, "for '{text} {} %s $text' and 'Hello': in <b> stands 'Hello {} %s"),
    (substituted, "it raises"),
    (as_bytes, "return a text, not b'"),
    (as_pair, "return a text, not ("),
    (printed, "return a text, not None"),
    ("bubble", "write def bubble(who, text)"),
    (Hostile(), "it raises RuntimeError: no"),
]


@pytest.mark.parametrize("answer", RIGHT_BUBBLES)
async def test_the_text_is_text(answer: object, said: Callable[[], str]) -> None:
    check.bubble(answer)
    assert said() == "correct (17.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_BUBBLES)
async def test_the_text_is_not(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.bubble(answer)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


async def test_there_is_no_bubble_yet(said: Callable[[], str]) -> None:
    def bubble(who: str, text: str) -> None: ...

    check.bubble(bubble)
    assert said() == "not tried yet"
