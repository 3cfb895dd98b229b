"""Does a step stream? An order decides, not a time.

This folder works alone: copy it into a project of your own.
"""

from .probe import Probe, aprobe, probe, report

__all__ = ["Probe", "aprobe", "probe", "report"]
