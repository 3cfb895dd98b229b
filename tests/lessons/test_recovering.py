"""What notebook 16 says of failures and other clients, beyond what its cells show."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.fixtures import Taught
from tools.notebook import ROOT, Notebook, find

(PATH,) = (path for path in find() if path.name.startswith("16_"))
SCRIPTS = sorted((ROOT / "findings").glob("broken_answers_*.sh"))


def prose() -> str:
    cells = Notebook.read(PATH).cells
    text = "\n\n".join(each.source for each in cells if each.cell_type == "markdown")
    return text.replace("<wbr>", "")  # where a long name may be broken


def seen(script: Path) -> list[str]:
    """Return the rows that a script demands of its clients."""
    text = script.read_text(encoding="utf-8")
    (rows,) = re.findall(r"^diff seen\.txt - <<'END'\n(.*?)^END$", text, re.M | re.S)
    return [str(row) for row in rows.splitlines()]


def test_there_is_a_script_for_each_family_of_clients() -> None:
    assert [each.stem.removeprefix("broken_answers_") for each in SCRIPTS] == [
        *("npm", "openai2", "python")
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_tables_of_clients_are_what_the_scripts_demand(script: Path) -> None:
    text, rows = prose(), seen(script)
    assert f"](../findings/{script.name})" in text
    assert len(rows) >= 4
    table = text.partition(f"](../findings/{script.name})")[2].partition("](../")[0]
    assert re.findall(r"^\| (\S.*) \|$", table, re.M)[1 : len(rows) + 1] == rows


def test_a_quiet_end_is_told_in_five_ways() -> None:
    quiet = {row.split(" | ")[2] for script in SCRIPTS for row in seen(script)}
    assert {"None", "stop, complete", "completed", "error"} < quiet
    assert any(each.startswith("!") for each in quiet)
    cuts = [row.split(" | ")[3] for script in SCRIPTS for row in seen(script)]
    assert all(each.startswith("!") for each in cuts)  # who is cut off raises


def test_a_gateway_makes_up_a_stop() -> None:
    rows = [each.split(" | ") for each in seen(ROOT / "findings/gateway_reasons.sh")]
    assert [(name, quiet) for name, _, quiet, *_ in rows] == [
        *(("nothing", "None"), ("litellm 1.89.7", "stop"), ("litellm 1.106.12", "stop"))
    ]


def test_the_versions_are_those_that_the_scripts_install() -> None:
    text = prose()
    for script in SCRIPTS:
        installs = script.read_text(encoding="utf-8").partition("cat >")[0]
        for name, version in re.findall(
            r"([@\w/-]+)(?:\[\w+\])?(?:==|@)(\d\S*)", installs
        ):
            if name not in {"node", "langchain-core", "@langchain/core"}:
                assert name in text
                assert version.strip('"') in text


def test_the_fallback_says_who_speaks_also_after_a_stall(taught: Taught) -> None:
    lesson: dict[str, Any] = taught("16")
    slow = lesson["troubled"]("stall", timeout=0.5, max_retries=0)
    whole = lesson["troubled"](None)
    lesson["patient"] = {}
    events = list(lesson["answered"]({"first": slow, "spare": whole}, "Hi"))
    assert [each for each in events if each[0] != "text"] == [
        *(("model", "first"), ("model", "spare"), ("end", "complete"))
    ]
    texts = [text for kind, text in events if kind == "text"]
    assert "".join(texts) == lesson["HALF"] + lesson["WHOLE"]
