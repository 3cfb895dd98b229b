"""The exercises of notebook 12: a filter for a chat, and a page that starts again."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from .exercise import Hint, exercise, shown

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

Pair = tuple["BaseMessage", dict[str, object]]
Reader = Callable[[Iterable[Pair]], object]


class Run:
    """One run of a node, and the pairs that the mode `messages` gives of it."""

    def __init__(self, node: str = "answer", step: int = 1, task: int = 1) -> None:
        self._about: dict[str, object] = {
            "langgraph_step": step,
            "langgraph_node": node,
            "langgraph_triggers": (f"branch:to:{node}",),
            # Several of one step are sent there, by `Send`.
            "langgraph_path": ("__pregel_pull", node, task)[: 2 + (task > 1)],
            "langgraph_checkpoint_ns": f"{node}:00000000-{step}-{task}",
        }

    def model(self, *texts: str, name: str = "a", tags: str = "") -> list[Pair]:
        """Return what a model says: a chunk for each text, an empty one around them."""
        return self.chunks(*("", *texts, ""), name=name, tags=tags)

    def chunks(
        self, *contents: str | list[str | dict[str, str]], name: str, tags: str
    ) -> list[Pair]:
        """Return a chunk for each content, which may be a list of blocks."""
        from langchain_core.messages import AIMessageChunk

        about = self._about | ({"tags": tags.split()} if tags else {})
        made = [AIMessageChunk(content=each, id=name) for each in contents]
        return [(chunk, {**about}) for chunk in made]

    def returned(self, text: str, kind: str = "AIMessage") -> list[Pair]:
        """Return the message that the node returned."""
        from langchain_core import messages

        call = {"tool_call_id": "1"} if kind == "ToolMessage" else {}
        name = f"{self._about['langgraph_checkpoint_ns']} {text}"
        message = getattr(messages, kind)(text, id=name, **call)
        return [(message, {**self._about})]


@exercise("12.1")
def chat_filter(answer: object) -> Iterator[str]:
    """Exercise 12.1: a generator that shows the answer once, and nothing else."""
    if not callable(answer):
        yield "write a generator: def chat(pairs), with a yield in it"
    chat = cast("Reader", answer)
    for what, pairs, expected in _chats():
        try:
            got = [*_read(chat, pairs)]
        except KeyError as error:
            if error.args == ("tags",):
                yield f"{what}: not every pair has tags, so ask with .get"
            raise
        if not all(isinstance(text, str) for text in got):
            yield f"{what}: yield texts, and not {shown(got)}"
        if (said := "".join(map(str, got))) != expected:
            yield f"{what}: {shown(expected)} expected, got {shown(said)}"
    if _reads_ahead(chat):
        yield "it waits: yield each text before you take the next pair"


def _chats() -> Iterator[tuple[str, list[Pair], str]]:
    """Yield what is tried, the pairs, and the text that a chat shows of them."""
    run, beside, later = Run(step=2), Run(step=2, task=2), Run(step=4)
    spoken = run.model("We", " have", " three.", tags="chat")
    returned, closed = run.returned("We have three."), run.returned("Closed.")
    router, tool = Run("route"), Run("tools")
    yield "a model with the tag", spoken, "We have three."
    yield "a router's chunks", router.model('{"topic":', "1}"), ""
    yield "a router's message", router.returned('{"topic":1}'), ""
    yield "a message of the node answers", Run("answers").returned("Hm."), ""
    yield "a tool's result", tool.returned("stock=3", "ToolMessage"), ""
    yield (
        "a tool's result that answer returned",
        run.returned("stock=3", "ToolMessage"),
        "",
    )
    yield "a user's message", run.returned("Any left?", "HumanMessage"), ""
    yield "a model of answer without the tag", run.model("Any left?"), ""
    yield "a model with another tag", run.model("Any left?", tags="chatty"), ""
    yield "a model with two tags", run.model("Yes.", tags="shop chat"), "Yes."
    yield "a model with two other tags", run.model("Yes.", tags="chat shop"), "Yes."
    yield "the tag, in another node", router.model("Hm.", tags="chat"), "Hm."
    yield "a message that no model wrote", closed, "Closed."
    yield "a title, then a message", run.model("Any left?") + closed, "Closed."
    yield "an answer that is returned, too", spoken + returned, "We have three."
    summary = run.returned("In all: three.")
    yield "a returned message with other words", spoken + summary, "We have three."
    yield (
        "a message in the second run of answer",
        spoken + later.returned("Closed."),
        "We have three.Closed.",
    )
    yield (
        "two runs that return what they said",
        [
            *(spoken + returned + later.model("Yes.", tags="chat")),
            *later.returned("Yes."),
        ],
        "We have three.Yes.",
    )
    yield (
        "two runs that return the same words",
        closed + later.returned("Closed."),
        "Closed.Closed.",
    )
    lines = run.model("One", "\n\n", "two", tags="chat")
    yield "a chunk that is an empty line", lines, "One\n\ntwo"
    yield (
        "a model with the tag that says nothing, then a message",
        run.model(tags="chat") + closed,
        "Closed.",
    )
    yield (
        "two runs of answer in one step",
        spoken + beside.returned("Closed.") + returned,
        "We have three.Closed.",
    )
    both = run.model("One.", tags="chat") + beside.model("Two.", tags="chat")
    yield (
        "two runs in one step that both speak, then return",
        both + run.returned("One.") + beside.returned("Two."),
        "One.Two.",
    )
    listed = run.chunks([{"type": "text", "text": "Yes."}], name="a", tags="chat")
    yield "a content that is a list", listed, "Yes."


@exercise("12.2")
def restarting_page(answer: object) -> Iterator[str]:
    """Exercise 12.2: a generator of pages on which a new id starts a text again."""
    if not callable(answer):
        yield "write a generator: def page(pairs), with a yield in it"
    page = cast("Reader", answer)
    for what, pairs in _tries():
        expected, got = _pages(pairs), [*map(_page, _read(page, pairs))]
        if len(got) != (count := len(expected)):
            yield (
                f"{what}: {count} chunks have text, and it yields {len(got)} pages: "
                "yield one after each of them, and none after an empty chunk"
            )
        for at, (wanted, have) in enumerate(zip(expected, got, strict=True), 1):
            if wanted != have:
                after = f"{what}, after {at} of {count} chunks with text"
                yield f"{after}: {shown(wanted)} expected, got {shown(have)}"
    if _reads_ahead(page):
        yield "it waits: yield the page before you take the next pair"


def _tries() -> Iterator[tuple[str, list[Pair]]]:
    """Yield what is tried, and the pairs."""
    run, other = Run("plan", 1), Run("answer", 2)
    whole, broken = run.model("One", " two"), run.model("One")[:-1]
    second, uno = run.model("One", " two", name="b"), other.model("Uno", name="b")
    turns = [
        *(run.model("One")[:2] + other.model("Uno", name="b")[:2]),
        *(run.model(" two")[1:2] + other.model(" dos", name="b")[1:2]),
    ]
    yield "one answer", whole
    yield "a second try", broken + second
    yield "a third try", broken + second[:-2] + run.model("One", " two", name="c")
    yield "two nodes", whole + other.model("Uno", name="b")
    yield (
        "a second try of the second node",
        whole + other.model("Un", name="b")[:-1] + other.model("Uno", name="c"),
    )
    yield "two runs of one node", whole + Run("plan", 3).model("Three", name="b")
    yield (
        "two runs of one node in one step",
        whole + Run("plan", 1, task=2).model("Three", name="b"),
    )
    yield "two nodes by turns", turns
    yield (
        "another node's empty chunk",
        [*whole[:2], uno[0], *whole[2:], *uno[1:]],
    )
    yield "two nodes by turns, and a second try", turns + run.model("Now", name="c")


def _pages(pairs: list[Pair]) -> list[list[str]]:
    """Return the pages that are right: one after each chunk with text."""
    runs: dict[object, tuple[str | None, str]] = {}
    pages = []
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_checkpoint_ns"]
            before, text = runs.get(run, (None, ""))
            runs[run] = chunk.id, text * (before == chunk.id) + chunk.text
            pages.append([text for _, text in runs.values()])
    return pages


def _page(given: object) -> list[str]:
    """Return a page as it is now; raise Hint unless it is a list of texts."""
    texts = [*given] if isinstance(given, Iterable) else [given]
    if isinstance(given, str) or not all(isinstance(text, str) for text in texts):
        raise Hint(f"yield a list of texts, and not {shown(given)}")
    return cast("list[str]", texts)


def _read(reader: Reader, pairs: Iterable[Pair]) -> Iterator[object]:
    """Yield what an answer yields; raise Hint unless a loop can read it."""
    stream = reader(iter(pairs))
    if not isinstance(stream, Iterable) or isinstance(stream, str | bytes):
        raise Hint("write a generator: a `def` with a `yield` in it")
    yield from stream


def _reads_ahead(reader: Reader) -> bool:
    """Tell whether an answer takes more pairs than it needs for its first text."""
    taken = 0

    def counted() -> Iterator[Pair]:
        nonlocal taken
        for pair in Run().model("One", " two", " three", tags="chat"):
            taken += 1
            yield pair

    next(given for given in _read(reader, counted()) if given)
    return taken > 2  # the first chunk is empty
