"""Text as a model cuts it: tokens and chunks, which are not the same."""

import pytest

from helpers.scripted.saying.answers import written
from helpers.scripted.tokens import chunks, tokens

TEXTS = [
    "",
    " ",
    "Streaming, token by token.",
    "  two  spaces   three\n\n\nlines\r\nand\tall\r\n",
    "127.0.0.1:8000 is 3.14159e-10 or 1,234,567",
    "internationalization and antidisestablishmentarianism",
    "naïve café Ünïcödé Привет שלום مرحبا नमस्ते",
    "日本語と漢字, 한국어 and 你好",
    "👩‍💻 🚀🎉 👍🏽 🇫🇷 ☺️",
    "def f(x):\n    return {'a': [x, None]}  # snake_case_name",
    "\x00\x7f\u2028\u00a0\ufeff\ud800",
    *(answer for _, answer in written().values()),
]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_and_chunks_join_to_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert "".join(chunk.text for chunk in chunks(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_chunks_carry_every_token_and_none_is_empty(text: str) -> None:
    cut = chunks(text)
    assert sum(chunk.tokens for chunk in cut) == len(tokens(text))
    assert {chunk.tokens for chunk in cut} <= {1, 2}
    assert all(chunk.text for chunk in cut)


def test_a_token_is_not_a_word() -> None:
    assert tokens("Streaming unbelievably, 2026!") == [
        *("Streaming", " unbel", "ievably", ",", " 202", "6", "!"),
    ]


@pytest.mark.parametrize("text", ["👩‍💻", "日本語"])
def test_what_looks_like_one_sign_or_word_may_come_in_parts(text: str) -> None:
    assert len(chunks(text)) == 3


def test_a_long_answer_has_chunks_of_two_tokens() -> None:
    cut = chunks("one two three four five six seven eight nine ten eleven twelve")
    assert [chunk.text for chunk in cut if chunk.tokens == 2] == [" eight nine"]
