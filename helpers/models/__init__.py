"""Which model answers, and the kernel's side of the scripted one: script and record."""

from helpers.scripted.record import Request

from .choice import server, use_model
from .process import ModelUnavailable
from .scripts import requests, script

__all__ = [
    "ModelUnavailable",
    "Request",
    "requests",
    "script",
    "server",
    "use_model",
]
