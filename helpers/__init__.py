"""What the notebooks import: the model, recordings of streams, exercise checks."""

from .figure import figure
from .models import use_model
from .recording import record, record_acall, record_call
from .timeline import seconds, table

__all__ = [
    "figure",
    "record",
    "record_acall",
    "record_call",
    "seconds",
    "table",
    "use_model",
]
