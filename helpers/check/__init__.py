"""Check the answers to exercises: one function an exercise, one line printed.

The line says *not tried yet*, *correct*, or the hint that fits the mistake. There is a
module for each notebook; `exercise` makes a check of a function that yields hints.
"""

from helpers.check.notebook_00 import first_text
from helpers.check.notebook_01 import stalled_stream
from helpers.check.notebook_02 import frame_text, sse_parser
from helpers.check.notebook_03 import complete_answer, streaming_flag
from helpers.check.notebook_04 import streaming_step, which_stream
from helpers.check.notebook_05 import answers_together, closed_stream
from helpers.check.notebook_06a import stopped_model, usage_event
from helpers.check.notebook_06b import ending
from helpers.check.notebook_06c import streams
from helpers.check.notebook_06d import freed_loop, saved_half
from helpers.check.notebook_07 import cached_stream
from helpers.check.notebook_08 import in_pieces, repaired_chain
from helpers.check.notebook_09 import diagnosis, kept_answer
from helpers.check.notebook_10 import sentences, whole_object, worth_streaming
from helpers.check.notebook_11 import quiz, terminal_chat
from helpers.check.notebook_12 import chat_filter, restarting_page
from helpers.check.notebook_13 import opening_sentence, tagged_text
from helpers.check.notebook_14 import assembled_calls, kept_object
from helpers.check.notebook_15 import careful_agent, page
from helpers.check.notebook_16 import continued, judge, told_frames
from helpers.check.notebook_17 import bubble, paced_screen
from helpers.check.notebook_18 import measures, stall_or_slow

__all__ = [
    "answers_together",
    "assembled_calls",
    "bubble",
    "cached_stream",
    "careful_agent",
    "chat_filter",
    "closed_stream",
    "complete_answer",
    "continued",
    "diagnosis",
    "ending",
    "first_text",
    "frame_text",
    "freed_loop",
    "in_pieces",
    "judge",
    "kept_answer",
    "kept_object",
    "measures",
    "opening_sentence",
    "paced_screen",
    "page",
    "quiz",
    "repaired_chain",
    "restarting_page",
    "saved_half",
    "sentences",
    "sse_parser",
    "stall_or_slow",
    "stalled_stream",
    "stopped_model",
    "streaming_flag",
    "streaming_step",
    "streams",
    "tagged_text",
    "terminal_chat",
    "told_frames",
    "usage_event",
    "which_stream",
    "whole_object",
    "worth_streaming",
]
