"""The response itself: what a request got, and what it had asked for."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ..frames import CREATED, Json, Usage
from ..reply import Reply
from .output import Output
from .request import Reasoning, ResponseRequest, TextOptions

REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Body(Struct, frozen=True):
    """The response to one request, in all of its states."""

    echo: Json
    """What does not change."""

    def of(self, status: str, output: Sequence[Json] = (), **more: object) -> Json:
        """Return the response in one state; `more` are fields with a value in it."""
        return {**self.echo, "status": status, "output": output, **more}

    def ended(self, reply: Reply, output: Sequence[Output], usage: Json) -> Json:
        """Return the response at its end: completed, or incomplete for a reason."""
        reason = REASONS.get(reply.finish_reason)
        items = [item.item("completed") for item in output[:-1]]
        last = output[-1].item("incomplete" if reason else "completed")
        if reason:
            details = {"reason": reason}
            return self.of(
                "incomplete", [*items, last], usage=usage, incomplete_details=details
            )
        return self.of("completed", [*items, last], usage=usage, completed_at=CREATED)


def body_of(asked: ResponseRequest, *, number: int) -> Body:
    """Return the response number `number`, which repeats what was asked for."""
    tier = asked.service_tier
    return Body(
        {
            "id": f"resp_scripted_{number}",
            "object": "response",
            "created_at": CREATED,
            "status": "in_progress",
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "max_tool_calls": asked.max_tool_calls,
            "metadata": asked.metadata or {},
            "model": asked.model,
            "output": [],
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "previous_response_id": asked.previous_response_id,
            "prompt_cache_key": asked.prompt_cache_key,
            "reasoning": _reasoning(asked.reasoning or Reasoning()),
            "safety_identifier": asked.safety_identifier,
            "service_tier": "default" if tier in (None, "auto") else tier,
            "store": asked.store is not False,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": _text(asked.text or TextOptions()),
            "tool_choice": asked.tool_choice or "auto",
            "tools": [_tool(tool) for tool in asked.tools or ()],
            "top_logprobs": asked.top_logprobs or 0,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": asked.truncation or "disabled",
            "usage": None,
            "user": asked.user,
        }
    )


def _reasoning(reasoning: Reasoning) -> Json:
    summary = reasoning.summary or reasoning.generate_summary
    return {"effort": reasoning.effort, "summary": summary}


def _text(options: TextOptions) -> Json:
    verbosity = options.verbosity or "medium"
    wanted = msgspec.to_builtins(options.format)
    return {"format": wanted, "verbosity": verbosity}


def _tool(tool: Json) -> Json:
    """Return a tool as it is repeated: a function always has these fields."""
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}


def usage_of(usage: Usage, thought: int) -> Json:
    """Return token counts in this endpoint's shape; `thought` of them were not said."""
    before, after = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = before.cached_tokens if before else None
    reasoned = after.reasoning_tokens if after else None
    return {
        "input_tokens": usage.prompt_tokens or 0,
        "input_tokens_details": {"cached_tokens": cached or 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens or 0,
        "output_tokens_details": {"reasoning_tokens": reasoned or thought},
        "total_tokens": usage.total_tokens or 0,
    }
