"""What the notebooks import: the model and its scripts, recordings, a server."""

from helpers.models import requests, script, use_model
from helpers.serving import serve
from helpers.timing import figure, record, record_call, seconds, table

__all__ = [
    "figure",
    "record",
    "record_call",
    "requests",
    "script",
    "seconds",
    "serve",
    "table",
    "use_model",
]
