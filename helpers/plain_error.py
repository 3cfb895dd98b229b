"""An error whose message is complete, so that a notebook shows nothing else."""

import os


class PlainError(RuntimeError):
    """What went wrong, and what to do about it, for a reader of a notebook."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: a traceback would bury the message.
        return [f"{type(self).__name__}: {self}"]


def in_one_line(error: BaseException) -> str:
    """Name an error and say its message, shortened.

    Without the model's key, which some providers repeat in an error.
    """
    key = os.environ.get("OPENAI_API_KEY", "")
    try:
        text = str(error).replace(key, "[key]") if len(key) > 12 else str(error)
        message = " ".join(text.split())[:200]
    except Exception:  # noqa: BLE001  (it has a text of somebody else's own in it)
        message = ""
    return type(error).__name__ + (f": {message}" if message else "")
