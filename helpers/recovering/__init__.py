"""Break streams and leave them, in many ways at once, and note what comes of it."""

from .failures import KINDS, WAYS, Failure, drawn, failures, readable, told
from .leaving import LEAVING, noticed

__all__ = [
    "KINDS",
    "LEAVING",
    "WAYS",
    "Failure",
    "drawn",
    "failures",
    "noticed",
    "readable",
    "told",
]
