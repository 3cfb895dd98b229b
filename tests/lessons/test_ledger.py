"""The ledger of notebook 11 has every claim of the document, and leads to proof."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from helpers.check import notebook_11
from tools.notebook import ROOT, Notebook, find

CLAIMS = {
    "Token Streaming": [
        "A model hands out its answer while it makes it, and not when it is complete",
        "What it hands out are tokens",
        "So the output is in real time",
        "It comes word by word, as in ChatGPT",
        "LangChain supports it through the runnable interface",
        "Picture: a prompt goes into a model, and out come tokens, one after another",
        'Picture: the last thing that comes is "done"',
    ],
    "Why Token Streaming Matters": [
        "Without it, the user waits for the whole answer",
        "Without it, the wait feels long",
        "Without it, long answers are the worst",
        "With it, there is feedback at once",
        "With it, a program responds better",
        "It is ideal for chats, copilots and terminals",
    ],
    "How Token Streaming Works Internally": [
        "First, the model begins to make tokens",
        "Each token is passed on as soon as it is there",
        "The client takes them in a loop",
        "At the end, a signal says that the answer is complete",
        "The model pushes its output",
        "The output is no single batch",
    ],
    "Basic Token Streaming": [
        "A model with `streaming=True`, and a loop, print the answer as it comes",
        "Tokens arrive one by one",
        "`chunk.content` holds a part of the text",
        "The output appears at once",
    ],
    "Token Streaming in a RunnableSequence": [
        "A chain of a lambda, a prompt and a model streams",
        "The prompt's class comes from `langchain_classic`",
        "Only the last model of a chain streams",
        "The steps before it run as they always do",
    ],
    "Async Token Streaming": [
        "An `async for` over `.astream()`, awaited in a cell, prints the answer",
        "It is used in FastAPI",
        "It is used in WebSockets",
        "It is used in SSE endpoints",
    ],
    "Token Streaming with FastAPI": [
        "For the real world, return a generator as a `StreamingResponse`",
        "A browser can then show the text as it comes",
        "It feels like a chat",
        "The response blocks nobody",
    ],
    "Token Streaming vs Normal Invocation": [
        "The output is incremental, against full",
        "The latency is low, against high",
        "The UX is real-time, against delayed",
        "The complexity is slightly higher, against simple",
    ],
    "What Can Stream Tokens": [
        "Models can",
        "A sequence can, through its model",
        "A parallel can, each branch by itself",
        "A retriever can't",
        "A prompt template can't",
        "A lambda can't",
        "Only what produces tokens streams",
    ],
    "Common Mistakes": [
        "Forgetting `streaming=True` is one",
        "Printing the chunk instead of its content is one",
        "Expecting other steps than models to stream is one",
        "Blocking the event loop of a server is one",
    ],
    "When to Use Token Streaming": [
        "Stream when you build a chat",
        "Stream when answers are long",
        "Stream when a responsive UX matters",
        "Stream when users expect live feedback",
        "Don't, for batches and offline work",
        "Don't, where the output has to be processed first",
        "Don't, where the output is only logged",
    ],
    "Mental Model": [
        "`invoke()` gives the full text",
        "`stream()` gives token after token",
        "Streaming turns the one into the other",
    ],
    "Key Takeaways": [
        "The output is emitted incrementally",
        "`streaming=True` enables it",
        "It works through sequences",
        "It works through parallel graphs",
        "A production chat can't do without it",
    ],
    "What the model's answers say": [
        "Token streaming moves small pieces of data in a steady flow",
        "Sending packets called tokens is more efficient than sending all at once",
        "Media services cut videos and music into tokens, so that they play smoothly",
        "A video or audio file is divided into segments called tokens",
        "Tokens can be fetched one by one, for faster playback on a slow line",
        "Pieces shorten the time to load",
        "An async stream is sent and received without blocking",
        "Both sides can do other work in the meantime",
        "Work on the data can begin before all of it is there",
        "Large amounts flow without overloading anybody",
    ],
}
"""What the document states about behavior, section by section, in our words.

Every sentence, bullet and row of a table has an entry, as have the pictures drawn in
text and the sentences of the answers that it shows. Its code has one where it claims
more than the sentences do; a list of three places where something is used has three.
"""

LEDGER = ROOT / "notebooks" / "11_mental_model.ipynb"
VERDICTS = {"true", "mostly right", "mostly wrong", "false", "untested"}


class Row(NamedTuple):
    """One row of the ledger."""

    section: str
    claim: str
    verdict: str
    why: str
    links: list[str]


def rows() -> Iterator[Row]:
    section = ""
    for cell in Notebook.read(LEDGER).cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("#"):
                section = line.lstrip("# ")
            found = re.fullmatch(r"\| (.+) \| (.+) \| (.+) \| (\[.+\]\(.+\)) \|", line)
            if found:
                claim, verdict, why, see = found.groups()
                links = re.findall(r"\]\((.+?)\)(?:, |$)", see)
                yield Row(section, claim, verdict, why, links)


@cache
def sections() -> dict[tuple[str, str], int]:
    """Return how many code cells each section has, by notebook and anchor."""
    found = {}
    for path in find():
        notebook = Notebook.read(path)
        headings = list(notebook.headings())
        code = [at for at, _ in notebook.code()]
        for place, (at, heading) in enumerate(headings):
            end = next(
                (a for a, _ in headings[place + 1 :] if a > at), len(notebook.cells)
            )
            found[path.name, heading.anchor] = sum(at < each < end for each in code)
    return found


ROWS = list(rows())


def test_every_claim_has_a_row() -> None:
    found: dict[str, list[str]] = {}
    for row in ROWS:
        found.setdefault(row.section, []).append(row.claim)
    assert found == CLAIMS
    assert list(found) == list(CLAIMS)


def test_every_row_has_a_verdict_and_one_line_that_says_why() -> None:
    for row in ROWS:
        assert row.verdict in VERDICTS, row
        assert 5 < len(row.why) <= 120, row


@pytest.mark.parametrize("section", CLAIMS)
def test_every_row_leads_to_cells_that_are_run(section: str) -> None:
    for row in ROWS:
        assert row.links, row
        for link in row.links if row.section == section else ():
            name, _, anchor = unquote(link).removeprefix("./").partition("#")
            assert sections().get((name or LEDGER.name, anchor)), row


def test_every_verdict_is_explained() -> None:
    source = "\n".join(cell.source for cell in Notebook.read(LEDGER).cells)
    explained = re.findall(r"^\| \*([a-z ]+)\* \| .+ \|$", source, re.MULTILINE)
    assert set(explained) == VERDICTS == {row.verdict for row in ROWS}


@pytest.mark.parametrize("path", find(), ids=lambda path: path.name)
def test_no_two_headings_of_a_notebook_have_one_anchor(path: Path) -> None:
    """Or a link would lead to the first of them."""
    anchors = [heading.anchor for _, heading in Notebook.read(path).headings()]
    assert len(set(anchors)) == len(anchors)


def quiz() -> dict[int, list[str]]:
    """Return the cells of each question's row."""
    source = "\n".join(cell.source for cell in Notebook.read(LEDGER).cells)
    numbered = re.findall(r"^\| (\d+) \| (.+) \|$", source, re.MULTILINE)
    return {int(number): cells.split(" | ") for number, cells in numbered}


def test_every_question_has_three_answers_and_a_right_one() -> None:
    questions = quiz()
    assert list(questions) == list(notebook_11.KEY)
    assert {len(cells) for cells in questions.values()} == {4}
    letters = [right for right, *_ in notebook_11.KEY.values()]
    assert set(letters) == {"a", "b", "c"}
    assert max(map(letters.count, letters)) < len(letters) / 2, "b, b, b …"


@pytest.mark.parametrize("number", notebook_11.KEY)
def test_every_question_leads_to_cells_that_are_run(number: int) -> None:
    _, notebook, section = notebook_11.KEY[number]
    found = [
        cells
        for (name, anchor), cells in sections().items()
        if (name.partition("_")[0], anchor) == (notebook, section.replace(" ", "-"))
    ]
    assert found
    assert found[0]
