"""The texts of an answer, joined, in little memory."""


class Texts:
    """A text that grows; `io.StringIO` holds an object for each piece, of 60 bytes."""

    __slots__ = ("_joined",)

    def __init__(self) -> None:
        self._joined = bytearray()

    def add(self, text: str) -> None:
        """Append a text, which may end in half an emoji."""
        self._joined += text.encode(errors="surrogatepass")

    def part(self, begin: int, end: int) -> str:
        """Return what was added between two lengths that it had."""
        return self._joined[begin:end].decode(errors="surrogatepass")

    def __len__(self) -> int:
        return len(self._joined)

    def __str__(self) -> str:
        return self.part(0, len(self))

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self._joined.__sizeof__()
