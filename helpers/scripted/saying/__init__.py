"""What the scripted model says when nobody prescribes it: words, JSON, calls of tools.

A script, no model: tables, a few small functions, and values that it reads off the
prompt. What it cannot know, it says.
"""

from .say import Said, say

__all__ = ["Said", "say"]
