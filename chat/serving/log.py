"""A log that keeps the model's key to itself.

Some providers repeat the key of whoever asks in the text of an error, and the log of an
app holds that text with the traceback.
"""

import logging
import os


def without_key(record: logging.LogRecord) -> bool:
    """Take the value of OPENAI_API_KEY out of a record, its traceback included.

    A filter that lets every record through: `logger.addFilter(without_key)`. A handler
    that reads `exc_info` itself, instead of formatting it, gets the exception as it is.
    """
    key = os.environ.get("OPENAI_API_KEY")
    try:
        message = record.getMessage()
    except (
        TypeError,
        ValueError,
        KeyError,
    ):  # its arguments do not fit: logging says so
        message = f"{record.msg} {record.args}"
    if key and key in message:
        record.msg, record.args = message.replace(key, "[key]"), None
    if key and record.exc_info:
        trace = logging.Formatter().formatException(record.exc_info)
        record.exc_text = trace.replace(key, "[key]")
    return True
