"""The texts of an answer, joined, in little memory."""


class Texts:
    """A text that grows; `io.StringIO` holds an object for each piece, of 60 bytes."""

    __slots__ = ("_joined",)

    def __init__(self) -> None:
        self._joined = bytearray()

    def add(self, text: str) -> None:
        """Append a text; it may end in half an emoji."""
        self._joined += text.encode(errors="surrogatepass")

    def __str__(self) -> str:
        return self._joined.decode(errors="surrogatepass")

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self._joined.__sizeof__()
