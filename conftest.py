"""Every test run: the scripted model, four times as fast, and nothing for LangSmith."""

import os

os.environ.setdefault("COURSE_MODEL", "scripted")
os.environ.setdefault("COURSE_SPEED", "4")
# Of LangSmith's four names for it, the first that is set wins; LangChain's own names
# for it come between these two.
os.environ.update(LANGSMITH_TRACING_V2="false", LANGSMITH_TRACING="false")
