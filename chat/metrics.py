"""What to watch, for Prometheus, by OpenTelemetry's names for GenAI (of 1.41).

With several workers, set PROMETHEUS_MULTIPROC_DIR to an empty folder: whichever worker
is asked then answers for all of them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import (
    MultiProcessCollector,
    mark_process_dead,
)

# The boundaries, in seconds and in tokens, that OpenTelemetry's conventions advise.
_FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1)
_GAPS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
_LENGTHS = tuple(0.01 * 2**power for power in range(14))
_TOKENS = tuple(4**power for power in range(14))


class Metrics:
    """The metrics of one worker.

    Raises ValueError if there is no folder where several are to meet.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        self._shared = folder is not None
        if self._shared and not (folder and Path(folder).is_dir()):
            raise ValueError(f"PROMETHEUS_MULTIPROC_DIR={folder} is no folder.")
        operation = "gen_ai_client_operation"
        self.first = Histogram(
            f"{operation}_time_to_first_chunk_seconds",
            "From the question to the first text of the model.",
            buckets=(*_FIRST, 2.5, 5, 7.5, 10, 30, 60),
            registry=self._registry,
        )
        self.gap = Histogram(
            f"{operation}_time_per_output_chunk_seconds",
            "From a text of the model to the next.",
            buckets=(*_GAPS, 5, 10, 30),
            registry=self._registry,
        )
        self.duration = Histogram(
            f"{operation}_duration_seconds",
            "From the question to the end of the answer.",
            buckets=(*_LENGTHS, 163.84, 327.68),
            registry=self._registry,
        )
        self.tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of an answer, as the model counts them.",
            ["gen_ai_token_type"],
            buckets=_TOKENS,
            registry=self._registry,
        )
        self.open = Gauge(
            "chat_streams_open",
            "Answers that are being written.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self.readings = Gauge(
            "chat_readings_open",
            "Connections that a stream is read through.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self.ended = Counter(
            "chat_streams",
            "Answers that have ended, by how: stop, length, stopped, error, lost …",
            ["end"],
            registry=self._registry,
        )
        self.refused = Counter(
            "chat_refused",
            "Requests over a limit, by status.",
            ["status"],
            registry=self._registry,
        )
        if not self._shared:
            ProcessCollector(registry=self._registry)

    def watch(self) -> "Watch":
        """Begin to watch an answer."""
        return Watch(self)

    def text(self) -> bytes:
        """Return all of them as Prometheus reads them."""
        if not self._shared:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def close(self) -> None:
        """Take this worker out of the sums over living workers."""
        if self._shared:
            mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


class Watch:
    """What is measured of one answer."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._begun = metrics, perf_counter()
        self._last = 0.0
        metrics.open.inc()

    def token(self) -> None:
        """Note that a text has come."""
        now = perf_counter()
        if self._last:
            self._metrics.gap.observe(now - self._last)
        else:
            self._metrics.first.observe(now - self._begun)
        self._last = now

    def usage(self, counts: Mapping[str, object]) -> None:
        """Note what the model has counted."""
        for kind in ("input", "output"):
            count = counts[f"{kind}_tokens"]
            assert isinstance(count, int)
            self._metrics.tokens.labels(kind).observe(count)

    def end(self, how: str) -> None:
        """Note the end."""
        self._metrics.open.dec()
        self._metrics.ended.labels(how).inc()
        self._metrics.duration.observe(perf_counter() - self._begun)
