"""When the pieces of a stream arrive: recorded, in numbers, and drawn."""

from .figure import figure
from .recording import record, record_call
from .timeline import Arrival, Timeline, seconds, table

__all__ = [
    "Arrival",
    "Timeline",
    "figure",
    "record",
    "record_call",
    "seconds",
    "table",
]
