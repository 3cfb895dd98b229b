"""The picture of many probes that notebook 08 draws."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable, RunnableLambda

from helpers.probing import probe
from helpers.probing.notebook_08.lanes import lanes

QUESTION = "Hel", "lo"
MODEL = FakeListChatModel(responses=["abc"])
TEXT = MODEL | StrOutputParser()
WHOLE = RunnableLambda(str.upper)


def letters(text: str) -> Iterator[str]:
    yield from text


def test_lanes_show_what_the_probes_found() -> None:
    late = probe(TEXT | RunnableLambda(letters), *QUESTION, name="a < b")
    figure = lanes(probe(MODEL, *QUESTION, name="model"), late)
    words = [text.text for text in svg(figure.svg, "text")]
    assert words[-4:] == ["model", "pieces, 3", "a < b", "late, 3"]
    (described,) = svg(figure.svg, "desc")
    assert described.text is not None
    assert "late" in described.text
    assert repr(figure) == "<figure: 2 probes>"
    for path in svg(figure.svg, "path"):
        assert "nan" not in path.attrib["d"]


@pytest.mark.parametrize(
    "step", [RunnableLambda(lambda _: None), RunnableLambda(lambda _: {}[0]), WHOLE]
)
def test_lanes_take_what_has_little_to_show(step: Runnable[str, object]) -> None:
    assert len(list(svg(lanes(probe(step, *QUESTION)).svg, "g"))) == 1


def test_lanes_need_a_probe() -> None:
    with pytest.raises(ValueError, match="at least one"):
        lanes()


def svg(source: str, tag: str) -> Iterator[ET.Element]:
    return ET.fromstring(source).iter(f"{{http://www.w3.org/2000/svg}}{tag}")
