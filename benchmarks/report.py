"""How results are shown: tables, and what was asked beside what was measured."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def target(
    what: str,
    measured: Sequence[float],
    *,
    most: float | None = None,
    least: float | None = None,
    unit: str = "",
) -> str:
    """Say what was asked and what was measured; of several, the first one counts."""
    best, *others = measured
    met = (most is None or best <= most) and (least is None or best >= least)
    asked = " and ".join(
        f"{sign} {number(limit)}"
        for sign, limit in (("≤", most), ("≥", least))
        if limit is not None
    )
    unit = f" {unit}" if unit else ""
    also = f" (other rounds: {', '.join(map(number, others))})" if others else ""
    verdict = "met" if met else "MISSED"
    return (
        f"  {what}: asked {asked}{unit}, measured {number(best)}{unit}{also}: {verdict}"
    )


def number(value: float) -> str:
    """Write a number with what it needs of digits: 314,000 · 38 · 0.16."""
    if abs(value) >= 1000:
        return f"{round(value, -2):,.0f}"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def machine() -> str:
    """Name the machine, and how busy it is now."""
    parts = [
        f"{os.cpu_count()} CPUs ({processor()})",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
    ]
    if hasattr(os, "getloadavg"):
        parts.append(f"load average {os.getloadavg()[0]:.1f}")
    return "Machine: " + ", ".join(parts)


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    details = Path("/proc/cpuinfo")
    if details.exists():
        for line in details.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
