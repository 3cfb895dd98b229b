"""Every test run: the scripted model, four times as fast, and nothing for LangSmith."""

import os

os.environ.setdefault("COURSE_MODEL", "scripted")
os.environ.setdefault("COURSE_SPEED", "4")
os.environ["LANGSMITH_TRACING"] = "false"
