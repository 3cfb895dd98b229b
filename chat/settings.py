"""What can be set: each field by an environment variable, `CHAT_` and its name.

The two addresses that other tools use too keep their names: REDIS_URL is where the log
is, PROMETHEUS_MULTIPROC_DIR is where the metrics of several workers meet.
"""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from math import inf


@dataclass(frozen=True)
class Settings:
    """Limits and times; times are in seconds."""

    message_bytes: int = 8192  # of a question, in UTF-8
    streams: int = 500  # that one worker writes at once
    streams_per_reader: int = 3  # that are written at once for one reader
    readings: int = 2000  # connections that one worker holds
    readings_per_reader: int = 20  # of those, on one worker
    idle: float = 60  # from a text of the model to the next
    longest: float = 300  # of an answer in all
    grace: float = 10  # for the answers under way, when the server is told to stop
    keep: int = 86_400  # how long a question and its answer are kept
    ping: float = 15  # of silence, before a comment is sent
    lease: float = 6  # after which a silent worker counts as dead (with Redis)
    turns: int = 50  # of a conversation that are kept
    memory: int = 256  # MB of answers that have ended, in memory; the oldest go first
    history: int = 40_000  # characters of it that the model is given
    hosts: str = "localhost,127.0.0.1"  # names in URLs of the service; `*` is all
    secure: bool = False  # the cookie goes over HTTPS alone
    log_texts: bool = False  # log what exceptions say, which may quote a question
    # Where the log is; in memory if empty. It may hold a password.
    redis_url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot work: ValueError says what to set."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type not in (int, float):
                continue
            least = 0 if each.name in ("grace", "history") else 1e-3
            if not least <= value < inf:
                raise ValueError(f"CHAT_{each.name.upper()} cannot be {value}.")
        if self.keep < self.longest:
            raise ValueError("CHAT_KEEP is shorter than CHAT_LONGEST.")
        for host in map(str.strip, self.hosts.split(",")):
            if not re.fullmatch(r"\*|(\*\.)?[\w.-]+|\[[\da-fA-F:.]+\]", host):
                raise ValueError(
                    f"CHAT_HOSTS cannot hold {host!r}: it lists names, without ports."
                )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the environment; ValueError names a variable that cannot be read."""
        found: dict[str, object] = {"redis_url": os.environ.get("REDIS_URL", "")}
        for each in fields(cls):
            name = f"CHAT_{each.name.upper()}"
            text = os.environ.get(name)
            if text is None or each.name == "redis_url":
                continue
            try:
                found[each.name] = _READERS[each.type](text)
            except (ValueError, KeyError):
                raise ValueError(f"{name} cannot be {text!r}.") from None
        return cls(**found)  # type: ignore[arg-type]


def _switch(text: str) -> bool:
    return {"1": True, "true": True, "0": False, "false": False}[text.lower()]


_READERS: dict[object, Callable[[str], object]] = {
    int: int,
    float: float,
    str: str,
    bool: _switch,
}


def workers() -> int:
    """Return how many workers uvicorn was told to start, as far as this one can see."""
    told = os.environ.get("UVICORN_WORKERS") or os.environ.get("WEB_CONCURRENCY", "1")
    for number, word in enumerate(sys.argv):
        if word == "--workers" and number + 1 < len(sys.argv):
            told = sys.argv[number + 1]
        elif word.startswith("--workers="):
            told = word.partition("=")[2]
    return int(told) if told.isdecimal() else 1
