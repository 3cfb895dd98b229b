"""What the scripted model noted of the requests of one test."""

from helpers.models import Request, requests


def recorded(question: str, *, timeout: float = 120) -> list[Request]:
    """Return its note of each request with that question, oldest first."""
    return [each for each in requests(timeout=timeout) if each.prompt == question]
