"""Check the answers to exercises: one function an exercise, one line printed.

The line says *not tried yet*, *correct*, or the hint that fits the mistake. There is a
module for each notebook; what they share is in `grading`.
"""

from helpers.check.notebook_00 import first_text
from helpers.check.notebook_01 import stalled_stream
from helpers.check.notebook_02 import frame_text, sse_parser
from helpers.check.notebook_03 import complete_answer, streaming_flag
from helpers.check.notebook_04 import streaming_step, which_stream
from helpers.check.notebook_05 import answers_together, closed_stream

__all__ = [
    "answers_together",
    "closed_stream",
    "complete_answer",
    "first_text",
    "frame_text",
    "sse_parser",
    "stalled_stream",
    "streaming_flag",
    "streaming_step",
    "which_stream",
]
