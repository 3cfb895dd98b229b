"""An answer that makes all the trouble it can."""

from typing import NoReturn


class Hostile:
    """Raises, whatever is done with it."""

    def _no(self, *_: object) -> NoReturn:
        raise RuntimeError("no")

    __eq__ = __bool__ = __str__ = __repr__ = __hash__ = __len__ = __call__ = _no
