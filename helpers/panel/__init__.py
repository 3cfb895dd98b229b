"""A chat panel for a notebook: `ChatPanel(model)`, whose Stop stops the model."""

from .panel import ChatPanel

__all__ = ["ChatPanel"]
