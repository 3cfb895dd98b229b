"""Does a step stream? The order of things decides, not the time.

This folder works alone: copy it into a project of your own, without `notebook_08`.
"""

from .probe import aprobe, probe
from .verdict import Probe, report

__all__ = ["Probe", "aprobe", "probe", "report"]
