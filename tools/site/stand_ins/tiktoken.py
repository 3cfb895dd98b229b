"""A stand-in for tiktoken, where it has no build: langchain-openai can be imported."""

from typing import NoReturn


class Encoding:
    """What an annotation of langchain-openai names."""


def get_encoding(_: str) -> NoReturn:
    """Say that there is none."""
    raise NotImplementedError("tiktoken has no build for a browser")


encoding_for_model = get_encoding
