"""What a chat-completions URL does to a stream: read it, and say so with evidence.

`python -m helpers.inspecting URL` needs nothing but Python: the folder works alone.
"""

from .address import Address, CannotInspect, read_address
from .finding import Finding
from .inspection import inspect

__all__ = ["Address", "CannotInspect", "Finding", "inspect", "read_address"]
