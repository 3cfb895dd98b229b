"""An error whose message is complete, so that a notebook shows nothing else."""


class PlainError(RuntimeError):
    """What went wrong, and what to do about it, for a reader of a notebook."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: a traceback would bury the message.
        return [f"{type(self).__name__}: {self}"]
