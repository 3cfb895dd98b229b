"""Saving notebooks: what is stored, what stays, and what becomes of a failing one."""

import subprocess
import sys
from base64 import b64decode
from copy import deepcopy
from pathlib import Path

import pytest
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook, new_output

from helpers.timing.drawing import assemble
from tests.support.lesson import code, lesson, make_course, prose
from tools.notebook import Notebook, write
from tools.raster import png
from tools.save import save
from tools.stored import (
    WIDGET,
    WIDGETS,
    add_pngs,
    join_streams,
    keep,
    name_cells,
    normalise,
)


def stream(text: str, *, name: str = "stdout") -> NotebookNode:
    output: NotebookNode = new_output("stream", name=name, text=text)  # type: ignore[no-untyped-call]
    return output


def ran(*outputs: NotebookNode, tags: tuple[str, ...] = ()) -> NotebookNode:
    """Return a notebook of one cell that had these outputs."""
    cell = code("show()", *tags)
    cell.outputs = list(outputs)
    node: NotebookNode = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    return node


def test_a_saved_lesson_was_run_and_does_not_change_again(tmp_path: Path) -> None:
    path = make_course(tmp_path)
    assert save(path)
    cells = Notebook.read(path).cells
    counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert cells[5].outputs == [stream("It makes 4 apples.\n")]
    assert not save(path), "only times differ, so the file stays"


def test_a_notebook_that_fails_stays_and_the_others_are_saved(tmp_path: Path) -> None:
    good = make_course(tmp_path)
    bad = {
        good.with_name("01_fails.ipynb"): "total = 5\nassert total == 4, 'five'",
        good.with_name("02_dies.ipynb"): "import os\n\nos._exit(1)",
    }
    for path, source in bad.items():
        node = lesson()
        node.cells[7].source = source
        write(path, Notebook(path, node).text())

    save_all = [sys.executable, "-m", "tools.save"]
    done = subprocess.run(save_all, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 1
    assert "notebooks/00_add_numbers.ipynb: saved" in done.stdout
    for line in (
        "notebooks/01_fails.ipynb was not saved: "
        "cell 8, at `assert total == 4, 'five'`: AssertionError: five\n",
        "notebooks/02_dies.ipynb was not saved: cell 8: the kernel died\n",
    ):
        assert line in done.stderr
    for path in bad:
        assert not any(output for _, output in Notebook.read(path).outputs())
    assert sorted(good.parent.iterdir()) == sorted([good, *bad]), "nothing is left over"


def test_the_pieces_of_a_stream_become_one() -> None:
    picture = new_output("display_data", data={"text/plain": "<figure>"})  # type: ignore[no-untyped-call]
    pieces = [
        stream("to"),
        stream("ken"),
        picture,
        stream("s"),
        stream("!", name="stderr"),
    ]
    texts = [output.get("text") for output in join_streams(pieces)]
    assert texts == ["token", None, "s", "!"], "what was shown in between stays there"


def test_a_new_cell_gets_an_id_and_the_others_keep_theirs() -> None:
    cells = [prose(text) for text in "abcd"]
    for cell, name in zip(cells, ["x-02", "random", "x-01", "x-01"], strict=True):
        cell.id = name
    name_cells(cells, stem="x")
    assert [cell.id for cell in cells] == ["x-02", "x-02-2", "x-01", "x-04"]


def test_only_what_a_reader_needs_is_stored() -> None:
    node = ran(new_output("error", ename="E", evalue="no", traceback=["/home/me"]))  # type: ignore[no-untyped-call]
    node.cells[0].metadata = {"tags": ["solution"], "execution": {}, "trusted": True}
    node.metadata = {"language_info": {"name": "python", "version": "3.11.7"}}
    node = normalise(node, stem="07_x")
    assert node.metadata.kernelspec.name == "python3"
    assert node.metadata.language_info == {"name": "python"}
    assert node.cells[0].id == "07_x-01"
    assert node.cells[0].metadata == {
        "tags": ["solution"],
        "jupyter": {"source_hidden": True},
    }
    assert node.cells[0].outputs[0].traceback == ["E: no"]


def test_widgets_are_named_in_the_order_of_their_making() -> None:
    view = {"text/plain": "IPY_MODEL_5ab", WIDGET: {"model_id": "5ab"}}
    node = ran(new_output("display_data", data=view))  # type: ignore[no-untyped-call]
    states = {"9cd": {}, "7ef": {}, "5ab": {"state": {"inside": ["IPY_MODEL_9cd"]}}}
    node.metadata = {"widgets": {WIDGETS: {"state": states}}}
    node = normalise(node, stem="07_x")
    kept = node.metadata.widgets[WIDGETS].state
    assert list(kept) == ["w0001", "w0002"], "nobody sees the third"
    assert kept["w0002"] == {"state": {"inside": ["IPY_MODEL_w0001"]}}
    assert node.cells[0].outputs[0].data["text/plain"] == "IPY_MODEL_w0002"


@pytest.mark.parametrize(
    ("old", "new", "stored"),
    [
        ("took 0.412 s", "took 0.398 s", "took 0.412 s"),
        ("took 0.412 s", "Took 0.398 s", "Took 0.398 s"),
        ("<svg>1</svg>", "<svg>2</svg>", "<svg>1</svg>"),
        ("3 tokens", "4 tokens", "4 tokens"),
    ],
)
def test_only_what_the_tests_mask_stays(old: str, new: str, stored: str) -> None:
    after = ran(stream(new))
    keep(ran(stream(old)), after)
    assert after.cells[0].outputs == [stream(stored)]


FIGURE = assemble("two waits", "words", 50, []).svg


def test_a_figure_gets_a_png_that_stays_while_the_figure_does() -> None:
    before, after = (
        ran(new_output("display_data", data={"image/svg+xml": svg}))  # type: ignore[no-untyped-call]
        for svg in (FIGURE, FIGURE.replace("50", "60"))
    )
    add_pngs(before)
    [stored] = before.cells[0].outputs
    assert stored.metadata["image/png"] == {"alt": "two waits", "width": 660}
    assert b64decode(stored.data["image/png"]) == png(FIGURE)
    keep(before, after)
    add_pngs(after)
    assert after.cells[0].outputs == [stored]


def test_a_widget_gets_a_png_of_the_figure_in_it() -> None:
    inside = {"outputs": [{"data": {"image/svg+xml": FIGURE}}]}
    states = {"a": {"children": ["IPY_MODEL_b", "IPY_MODEL_c"]}, "b": {}, "c": inside}
    node = ran(new_output("display_data", data={WIDGET: {"model_id": "a"}}))  # type: ignore[no-untyped-call]
    node.metadata = from_dict(
        {"widgets": {WIDGETS: {"state": {k: {"state": v} for k, v in states.items()}}}}
    )
    add_pngs(node)
    [output] = node.cells[0].outputs
    assert b64decode(output.data["image/png"]) == png(FIGURE)


def test_what_shows_no_figure_gets_no_png() -> None:
    node = ran(
        new_output("display_data", data={WIDGET: {"model_id": "gone"}}),  # type: ignore[no-untyped-call]
        new_output("display_data", data={"text/html": "<p>"}),  # type: ignore[no-untyped-call]
        stream("text"),
    )
    before = deepcopy(node)
    add_pngs(node)
    assert node == before


def test_live_output_stays_while_its_cell_does() -> None:
    before, after = (
        ran(stream(text), tags=("live", "nbval-ignore-output")) for text in "ab"
    )
    keep(before, after)
    assert after.cells[0].outputs == [stream("a")]
