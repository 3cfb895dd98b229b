"""The reader's key stays out of what a notebook stores.

Some providers repeat the key of whoever asks in the text of an error, and the output of
a cell holds that text with its traceback.
"""

import json
import os
import sys
from collections.abc import Callable


class WithoutKey:
    """Packs what a kernel sends as the function does that it is put around."""

    def __init__(self, pack: Callable[[object], bytes]) -> None:
        self._pack = pack

    def __call__(self, content: object) -> bytes:
        """Return the bytes of it, without the value of OPENAI_API_KEY."""
        packed, key = self._pack(content), os.environ.get("OPENAI_API_KEY", "")
        if len(key) <= 12:  # it may be a word, such as `ollama`
            return packed
        return packed.replace(json.dumps(key)[1:-1].encode(), b"[key]")


def hide_key() -> None:
    """Keep the key out of all that this kernel sends; nothing happens without one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session and not isinstance(session.pack, WithoutKey):
        session.pack = WithoutKey(session.pack)
