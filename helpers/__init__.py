"""What the notebooks import: the model, recordings of streams, a server."""

from .figure import figure
from .models import use_model
from .recording import record, record_acall, record_call
from .serving import serve
from .timeline import seconds, table

__all__ = [
    "figure",
    "record",
    "record_acall",
    "record_call",
    "seconds",
    "serve",
    "table",
    "use_model",
]
