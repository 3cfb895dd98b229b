"""Serve an app beside the notebook: on a real port, behind nginx, read by a page."""

from .app import AppUnavailable, serve

__all__ = ["AppUnavailable", "serve"]
