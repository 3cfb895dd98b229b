"""What the scripted model says when nobody prescribes it."""

import re

import pytest

from helpers.scripted.saying.answers import answer, honest, written

PROMPTS = [prompt for prompt, _ in written().values()]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_written_answer_is_found_by_its_prompt(prompt: str) -> None:
    words = re.sub(r"[^\w ]", "", prompt)
    found = {answer(form) for form in (prompt, prompt.upper(), f"  {words} ?!\n")}
    assert len(found) == 1
    assert found != {answer("What else?")}


def test_prompts_may_share_an_answer() -> None:
    assert answer("Hi") == answer("Hello") == answer("Say hello")


def test_an_answer_is_broken_into_lines_that_fit_below_a_cell() -> None:
    for _, text in written().values():
        assert text == text.strip()
        assert max(map(len, text.splitlines())) <= 90
        assert not re.search(r"\n{3}| \n| {2}", text)


def test_to_any_other_prompt_the_answer_is_honest() -> None:
    for prompt in ("Who won the match?", "", "¿Qué?", "🚀"):
        assert answer(prompt) is None
    said = " ".join(honest("cats").split())
    assert said.startswith("I am a scripted model")
    assert "nothing to say about cats" in said
    suggested = re.findall("“(.+?)”", said)
    assert suggested
    assert set(suggested) <= set(PROMPTS)
    assert len(said.split()) > 80  # long enough to see it stream
