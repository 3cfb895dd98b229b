"""Which model answers, and the kernel's side of the scripted one: script and record."""

from .choice import server, use_model
from .process import ModelUnavailable
from .scripts import Request, requests, script

__all__ = [
    "ModelUnavailable",
    "Request",
    "requests",
    "script",
    "server",
    "use_model",
]
