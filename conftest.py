"""Every test run: the scripted model at eight times its speed, nothing remembered."""

import os

os.environ.setdefault("COURSE_MODEL", "scripted")
os.environ.setdefault("COURSE_SPEED", "8")
# A LANGCHAIN_TRACING_V2 of the reader's would win over the second alone.
os.environ.update(LANGSMITH_TRACING_V2="false", LANGSMITH_TRACING="false")
os.environ["COURSE_PROGRESS"] = "off"
