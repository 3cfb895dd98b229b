"""Does a step stream? An order decides, not a time.

This folder works alone: copy it into a project of your own. (What stands beside
`probe` and `trace` is notebook 08's: what it probes, and how it draws that.)
"""

from .probe import Probe, aprobe, probe, report

__all__ = ["Probe", "aprobe", "probe", "report"]
