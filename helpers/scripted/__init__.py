"""The scripted model: a server that speaks OpenAI's protocol, with written answers."""

from .client import Request, requests, script

__all__ = ["Request", "requests", "script"]
