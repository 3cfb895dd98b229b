"""The two readers of notebook 06b, in Deno: who leaves them, and what they miss."""

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from helpers import serve
from helpers.serving.javascript import run_javascript
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tests.support.served import scripted

LESSON = ("FRAMES", "REFUSAL", "FETCH", "SOURCE", "SAY", "ASK", "ENDING")
READERS = pytest.mark.parametrize("reader", ["readFetch", "readEventSource"])
TOKEN = '{"text": "Hi"}'

SIGNAL = "const {signal} = new AbortController();"
PANEL = "const panel = {answer: {}, status: {}, usage: {}};"
# The program stays, so that it is not its end that closes the connection.
UNTIL_LEFT = """
const under_way = async () => (await (await fetch(RECORD)).json()).requests
  .some((each) => each.prompt === QUESTION && each.in_flight);
while (await under_way()) await new Promise((resolve) => setTimeout(resolve, 20));
"""


def readers(taught: Taught) -> str:
    """Return the JavaScript that the notebook teaches."""
    defined = taught("06b")
    return "\n".join(defined[name] for name in LESSON)


def reads(taught: Taught, app: FastAPI, *doing: str) -> str:
    """Return what a program says that uses the readers on the page of an app."""
    with serve(app, quiet=True) as url:
        return run_javascript(readers(taught), SIGNAL, *doing, page=url).strip()


def endpoint(*parts: str, breaks: bool = False) -> FastAPI:
    """Return an app whose answer is these parts; then it ends, or breaks."""
    app = FastAPI()

    async def answer() -> AsyncIterator[str]:
        for part in parts:
            yield part
        if breaks:
            raise ConnectionError

    @app.get("/chat")
    @app.post("/chat")
    async def chat() -> StreamingResponse:
        return StreamingResponse(answer(), media_type="text/event-stream")

    return app


def test_frames_may_be_cut_at_each_byte(taught: Taught) -> None:
    alone = """
    const left = [...new TextEncoder().encode("data: 👩‍💻\\n\\ndata: Hello\\n\\n")];
    const pull = (to) =>
      left.length ? to.enqueue(Uint8Array.of(left.shift())) : to.close();
    for await (const frame of framesIn(new ReadableStream({pull}))) console.log(frame);
    """
    found = run_javascript(readers(taught), alone)
    assert found.split("\n")[:2] == ["data: 👩‍💻", "data: Hello"]


THROWS = """
const fails = () => { throw new Error("the page failed"); };
await %s(QUESTION, fails, signal).catch((error) => console.log(error.message));
"""
BREAKS = """
const answer = await fetch("chat?" + new URLSearchParams({question: QUESTION}));
for await (const frame of framesIn(answer.body)) break;
"""


@pytest.mark.parametrize(
    ("leaves", "said"),
    [
        pytest.param(THROWS % "readFetch", "the page failed", id="fetch throws"),
        pytest.param(THROWS % "readEventSource", "the page failed", id="source throws"),
        pytest.param(BREAKS, "", id="break"),
    ],
)
def test_who_leaves_a_reader_stops_the_model(
    taught: Taught, request: pytest.FixtureRequest, leaves: str, said: str
) -> None:
    question, app = request.node.nodeid, taught("06b")["app"]
    model = scripted(tokens=["One", " two"], fault="stall", at=1, stall=30)
    app.state.model = model
    names = {
        "QUESTION": question,
        "RECORD": f"{str(model.openai_api_base).removesuffix('/v1')}/requests",
    }
    consts = [f"const {name} = {json.dumps(value)};" for name, value in names.items()]
    assert reads(taught, app, *consts, leaves, UNTIL_LEFT) == said
    (left,) = recorded(question)
    assert (left.chunks_sent, left.finished) == (1, False)


def test_a_source_that_is_not_closed_lets_the_model_go_on(
    taught: Taught, question: str
) -> None:
    app, tokens = taught("06b")["app"], [" on"] * 400
    app.state.model = scripted(tokens=tokens, pace=20)
    shows = f"""
        const said = [];
        const status = {{
            set textContent(text) {{ if (said.at(-1) !== text) said.push(text); }},
        }};
        const end = () => {{ console.log(said.join(", ")); Deno.exit(); }};
        globalThis.EventSource = class extends EventSource {{
            onend = this.addEventListener("error", end);
            close() {{}}
        }};
        const stopper = new AbortController();
        const stop = () => {{ if (panel.answer.textContent) stopper.abort(); }};
        setInterval(stop, 10).unref();
        const shown = {{...panel, status}};
        await ask({json.dumps(question)}, shown, readEventSource, stopper.signal);
    """
    said = reads(taught, app, PANEL, shows)
    assert said == "waiting, writing, stopped, writing"
    (request,) = recorded(question)
    assert (request.chunks_sent, request.finished) == (len(tokens), True)


@READERS
def test_who_has_stopped_before_asks_nothing(
    taught: Taught, question: str, reader: str
) -> None:
    app = taught("06b")["app"]
    app.state.model = scripted(tokens=["Hi"])
    log = "(name) => console.log(name)"
    asks = f"{reader}({json.dumps(question)}, {log}, AbortSignal.abort())"
    caught = f"await {asks}.catch((error) => console.log(error.name));"
    assert reads(taught, app, caught) == "AbortError"
    assert recorded(question) == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("wait a minute", "429: wait a minute"),
        ([{"msg": "too long"}], "429: too long"),
        (None, "429: Too Many Requests"),
    ],
)
def test_a_refusal_says_why(taught: Taught, reason: object, said: str) -> None:
    app = FastAPI()

    @app.post("/chat")
    async def chat() -> None:
        raise HTTPException(429, reason)

    asks = "readFetch('Hi', () => {}, signal)"
    caught = f"await {asks}.catch((error) => console.log(error.message));"
    assert reads(taught, app, caught) == said


@READERS
@pytest.mark.parametrize("breaks", [False, True])
def test_an_answer_without_any_event_is_not_complete(
    taught: Taught, reader: str, breaks: bool
) -> None:
    show = f"await ask('Hi', panel, {reader}, signal); console.log(panel.status);"
    status = reads(taught, endpoint(breaks=breaks), PANEL, show)
    in_good_order = reader == "readFetch" and not breaks
    assert ("interrupted" in status) is in_good_order
    assert ("error: " in status) is not in_good_order


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (f"event: token\ndata: {TOKEN}\n\n", "token"),
        (f"id: 7\nevent: token\ndata: {TOKEN}\n\n", "token"),
        (f"event:token\ndata:{TOKEN}\n\n", ""),
        (f"event: token\r\ndata: {TOKEN}\r\n\r\n", ""),
        ('event: token\ndata: {"text":\ndata: "Hi"}\n\n', "SyntaxError"),
    ],
)
def test_fetch_reads_the_frames_of_this_app(
    taught: Taught, frame: str, said: str
) -> None:
    log = "(name) => console.log(name)"
    caught = "catch((error) => console.log(error.name))"
    done = f"await readFetch('Hi', {log}, signal).{caught};"
    assert reads(taught, endpoint(frame), done) == said
