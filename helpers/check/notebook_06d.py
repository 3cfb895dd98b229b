"""The exercise of notebook 06d: a body that blocks nobody."""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from helpers.check.grading import grade


async def freed_loop(answer: object) -> None:
    """Exercise 6d.1: a title and an answer, without blocking the event loop."""
    import asyncio  # not at the top: `import helpers` stays quick

    import httpx2
    from langchain_openai import ChatOpenAI

    from helpers.scripted import script

    blocked: list[str] = []

    class Watched(ChatOpenAI):
        """A model that notes which of its blocking methods an event loop calls."""

        def invoke(self, *arguments: Any, **options: Any) -> Any:
            _note(blocked, "invoke")
            return super().invoke(*arguments, **options)

        def stream(self, *arguments: Any, **options: Any) -> Any:
            _note(blocked, "stream")
            return super().stream(*arguments, **options)

    got: list[str] | Exception = []
    if answer is not None:
        # By itself, LangChain shares one client, whose connections belong to one loop.
        async with httpx2.AsyncClient() as client:
            said = script(tokens=["Two", " words"], ttft=0, pace=0)
            model = Watched(http_async_client=client, http_socket_options=(), **said)
            try:
                call = cast("Callable[..., AsyncIterator[str]]", answer)
                async with asyncio.timeout(10):
                    got = [text async for text in call(model, "Hi") if text]
            except Exception as error:  # noqa: BLE001  (no telling what it does)
                got = error
    right = got == ["Two words", "Two", " words"]
    grade(
        answer,
        lambda _: right and not blocked,
        (lambda _: right and blocked == ["invoke"], "the title still blocks: invoke"),
        (lambda _: right and blocked == ["stream"], "the answer still blocks: stream"),
        (lambda _: right, "the texts are right, but invoke and stream still block"),
        (
            lambda a: not callable(a) or isinstance(got, TypeError),
            "write async def freed(model, question), with a yield in it",
        ),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        (lambda _: got == ["Two words", "Two words"], "stream the answer: use astream"),
        otherwise="yield the title, then the text of each chunk, as titled does",
    )


def _note(blocked: list[str], method: str) -> None:
    """Add the method, if an event loop runs in this thread, which it blocks."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    blocked.append(method)
