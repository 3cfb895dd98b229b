"""The exercises of notebook 15: agents."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from .exercise import case, exercise

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware

Frame = tuple[str, dict[str, str]]


def token(text: str, turn: str = "1") -> Frame:
    """Return the frame of a piece of text."""
    return "token", {"text": text, "turn": turn}


def status(text: str, turn: str | None = None) -> Frame:
    """Return the frame of a status line; a call names the turn that it belongs to."""
    return "status", {"text": text} | ({"turn": turn} if turn else {})


DONE: Frame = ("done", {"finish_reason": "stop"})
BROKEN: Frame = ("error", {"message": "The answer broke off."})
PAGES: list[tuple[list[Frame], list[str], str]] = [
    ([token("Hi"), token(" there"), DONE], [], "Hi there"),
    (
        [status("Using a", "1"), status("at work"), token("Two", "2"), DONE],
        ["Using a", "at work"],
        "Two",
    ),
    (
        [token("I "), token("look."), status("Using a", "1"), token("It", "2"), DONE],
        ["I look.", "Using a"],
        "It",
    ),
    (
        [token("Both."), status("Using a", "1"), status("Using b", "1"), DONE],
        ["Both.", "Using a", "Using b"],
        "",
    ),
    (
        [
            *(token("A"), status("Using a", "1"), token("B", "2")),
            *(status("Using b", "2"), status("at work"), token("C", "3"), BROKEN),
        ],
        ["A", "Using a", "B", "Using b", "at work"],
        "C",
    ),
    ([token("One"), status("at work"), token(" two"), DONE], ["at work"], "One two"),
    ([token(" One"), status("Using b", "2"), DONE], ["Using b"], " One"),
    ([token("It i"), token("It", "2"), token("!", "2"), DONE], [], "It!"),
    ([token("It i", "b"), token("It", "a"), token("!", "a"), DONE], [], "It!"),
    (
        [status("at work"), status("at work"), token("Two", "2"), DONE],
        ["at work", "at work"],
        "Two",
    ),
    ([token("I look. "), status("Using a", "1"), DONE], ["I look. ", "Using a"], ""),
]


@exercise("15.1")
def page(answer: object) -> Iterator[str]:
    """Exercise 15.1: a function that makes of frames what a page shows."""
    if not callable(answer):
        yield "write def page(frames)"
    show = cast("Callable[[list[Frame]], object]", answer)
    for frames, lines, text in PAGES:
        got = show([(event, dict(data)) for event, data in frames])
        if not isinstance(got, tuple | list) or len(got) != 2:
            yield "return two things: the list of the status lines, and the answer"
        if [*cast("Sequence[object]", got)] != [lines, text]:
            yield case(_short(frames), (lines, text), tuple(cast("list[object]", got)))


def _short(frames: list[Frame]) -> list[str]:
    return [f"{event} {data.get('turn', '')}".strip() for event, data in frames]


WHOLE: dict[str, object] = {"to": "alice", "amount": 1000000}
CUT = 15
"""How many chunks of the call come: `{"to": "alice", "amount": 100`."""


@exercise("15.2")
def careful_agent(answer: object) -> Iterator[str]:
    """Exercise 15.2: middleware with which an agent runs no call that was cut off."""
    from langchain.agents.middleware import AgentMiddleware

    if not isinstance(answer, AgentMiddleware):
        yield "give middleware: a function under @wrap_model_call, for example"
    careful = cast("AgentMiddleware[Any, Any]", answer)
    if not _has_hook(careful):
        yield "write its hook with def: the check reads the agent with stream"
    if (ran := _run(careful, tool=_call())[0]) != [WHOLE]:
        yield f"a whole call has to be run: {WHOLE} expected, got {ran}"
    few = WHOLE | {"amount": 7}
    if (ran := _run(careful, forced=True, tool=_call(few))[0]) != [few]:
        yield f"a call that is forced ends with stop: {few} expected, got {ran}"
    reasons = {"length": "'length'", "early_end": "none", "content_filter": "a filter"}
    for fault, reason in reasons.items():
        ran = _run(careful, bears=True, tool=_call(), fault=fault, at=CUT)[0]
        if any(each != WHOLE for each in ran):
            ended = f"its reason is {reason}"
            yield f"a call that was cut off is run, with {ran[0]}: {ended}"
    few_words: dict[str, Any] = {
        "tokens": ["Now. "],
        "tool": _call(),
        "fault": "length",
    }
    ran = _run(careful, bears=True, at=CUT + 1, **few_words)[0]
    if any(each != WHOLE for each in ran):
        yield f"a call behind a few words was cut off, and is run, with {ran[0]}"
    words = ["To", " be", " or"]
    if _run(careful, tokens=words, fault="length", at=2)[1] != "To be":
        yield "an answer in words that reaches its limit is no call: let it through"


def _call(args: dict[str, object] = WHOLE) -> dict[str, object]:
    return {"name": "transfer", "args": args}


def _has_hook(middleware: "AgentMiddleware[Any, Any]") -> bool:
    """Tell whether it does something in an agent that is not asynchronous."""
    from langchain.agents.middleware import AgentMiddleware

    base, own = AgentMiddleware, type(middleware)
    hooks = ("wrap_model_call", "wrap_tool_call", "after_model", "before_model")
    return any(getattr(own, hook) is not getattr(base, hook) for hook in hooks)


def _run(
    careful: "AgentMiddleware[Any, Any]",
    *,
    bears: bool = False,
    forced: bool = False,
    **options: object,
) -> tuple[list[dict[str, object]], str]:
    """Return the transfers that an agent made, and what it said last.

    The script takes its first turn, in which its call may be `forced`. With either, the
    middleware may raise.
    """
    from langchain.agents import create_agent
    from langchain_core.messages import AIMessage
    from langchain_openai import ChatOpenAI

    from helpers.models import script
    from helpers.models.first_turn import FirstTurn, Request, Response

    class Tries(FirstTurn):
        """Say it once; or twice, so that asking again is no way out by itself.

        Asked again in the same turn, let the agent's own model answer. With `bears`,
        each call comes twice, so that dropping one of them is no way out, either.
        """

        left = 1 + bears

        def is_first(self, request: Request) -> bool:
            self.left -= 1
            return self.left >= 0

        def chosen(self, request: Request) -> Request:
            chosen = super().chosen(request)
            first = chosen is not request
            return (
                chosen.override(tool_choice="transfer") if first and forced else chosen
            )

        def wrap_model_call(
            self, request: Request, handler: Callable[[Request], Response]
        ) -> Response:
            response = super().wrap_model_call(request, handler)
            message = response.result[-1]
            if bears and isinstance(message, AIMessage):
                calls = message.tool_calls
                calls += [each | {"id": f"{each['id']}_2"} for each in calls]
            return response

    ran: list[dict[str, object]] = []

    def transfer(to: str, amount: int) -> str:
        """Transfer money to somebody."""
        ran.append({"to": to, "amount": amount})
        return "done"

    quick: dict[str, object] = {"ttft": 0, "pace": 0}
    asked: dict[str, Any] = {"messages": [("user", "Transfer 1000000 to alice")]}
    # Any: its types ask for a graph's own kind of configuration.
    agent: Any = create_agent(
        ChatOpenAI(**script(**quick)),
        [transfer],
        middleware=[careful, Tries(**quick, **options)],
    )
    said = ""
    modes, limit = ["messages", "values"], {"recursion_limit": 20}
    try:
        for mode, item in agent.stream(asked, limit, stream_mode=modes):
            if mode == "values":
                said = item["messages"][-1].text
    except Exception:
        if not (bears or forced):
            raise
    return ran, said
