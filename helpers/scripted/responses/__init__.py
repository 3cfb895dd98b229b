"""The endpoint `/v1/responses`: the same answers, as items and named events."""

from .answer import Responses
from .store import Store

__all__ = ["Responses", "Store"]
