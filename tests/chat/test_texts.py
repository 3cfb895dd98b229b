"""The texts of an answer, joined."""

import json
import sys

from chat.log.texts import Texts


def test_texts_are_joined_and_small() -> None:
    texts = Texts()
    for _ in range(1000):
        texts.add(" word, é")
    assert str(texts) == " word, é" * 1000
    assert sys.getsizeof(texts) < 2 * len(str(texts).encode())


def test_an_emoji_that_comes_in_halves_is_whole_again() -> None:
    texts = Texts()
    for half in ("Hi \ud83d", "\ude00"):
        before = len(texts)
        texts.add(half)
        assert texts.part(before, len(texts)) == half
    assert json.loads(json.dumps(str(texts))) == "Hi 😀"
