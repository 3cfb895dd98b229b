#!/usr/bin/env bash
# What a page that speaks AG-UI learns of an answer that breaks off.
#
# Three servers put an agent behind AG-UI: pydantic-ai 2.68.0, ag-ui-langgraph 0.0.47 with
# a graph, and agno 3.1.10. Their model, on this machine, gives a whole answer; reaches
# its limit (`length`); ends without a reason (quiet); or sends an error in the stream.
# @ag-ui/client 1.0.0 asks each of them by `runAgent()`, and then a server that ends its
# answer in good order without RUN_FINISHED, or lets a message stay open at RUN_FINISHED.
#
# Guessed before it was run: `runAgent()` rejects after RUN_ERROR, and where RUN_FINISHED
# is missing, since the client checks the order of events; `length` is told to nobody.
# Seen: it rejects neither. RUN_ERROR is one event among others: `onRunFailed` is not
# called, and the half is a new message in the result. A missing RUN_FINISHED is no
# error, though a RUN_FINISHED that comes too early is one. Of `length` and of the quiet
# end, all three servers make RUN_FINISHED; LangGraph's says `length` in an event. So a
# page has to look at RUN_ERROR, and at the presence of RUN_FINISHED, itself.
#
# Seen on 28 November 2026 with Python 3.11 and Node 20.20.2, as below. Needs node and npm;
# fails if it sees anything else: `bash findings/agui_half.sh`. (It installs about 100
# packages, for some minutes.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[openai]==2.68.0" ag-ui-protocol==1.0.0 ag-ui-langgraph==0.0.47 \
  agno==3.1.10 langgraph==1.2.24 langchain-openai==1.7.4 langchain-core==1.8.3 \
  openai==3.57.0 fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @ag-ui/client@1.0.0

cat >servers.py <<'END'
import json
import logging
import pathlib
import socket

import uvicorn
from ag_ui_langgraph import LangGraphAgent, add_langgraph_fastapi_endpoint
from agno.agent import Agent as Agno
from agno.models.openai.like import OpenAILike
from agno.os.interfaces.agui import AGUI
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.ui.ag_ui import AGUIAdapter

logging.disable()
app = FastAPI()


def data(said):
    return f"data: {json.dumps(said)}\n\n"


def frame(delta, reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    kind = "chat.completion.chunk"
    return data({"id": "1", "object": kind, "created": 1, "model": "m", "choices": [choice]})


def frames(end):
    yield frame({"role": "assistant", "content": ""})
    for text in ("Yes,", " we", " are"):
        yield frame({"content": text})
    if end == "error":
        yield data({"error": {"message": "boom", "type": "server_error"}})
    elif end != "quiet":
        if end == "whole":
            yield frame({"content": " open."})
        yield frame({}, "stop" if end == "whole" else end)
        yield "data: [DONE]\n\n"


@app.post("/model/{end}/chat/completions")
def model(end: str):
    return StreamingResponse(frames(end), media_type="text/event-stream")


def serve_pydantic_ai(path, url):
    provider = OpenAIProvider(base_url=url, api_key="none")
    agent = Agent(OpenAIChatModel("m", provider=provider))

    @app.post(path)
    async def run(request: Request):
        return await AGUIAdapter.dispatch_request(request, agent=agent)


def serve_langgraph(path, url):
    llm = ChatOpenAI(model="m", base_url=url, api_key="none")

    async def answer(state):
        return {"messages": await llm.ainvoke(state["messages"])}

    builder = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    graph = builder.compile(InMemorySaver())
    add_langgraph_fastapi_endpoint(app, LangGraphAgent(name="agent", graph=graph), path)


def serve_agno(path, url):
    agent = Agno(model=OpenAILike(id="m", base_url=url, api_key="none"), telemetry=False)
    app.include_router(AGUI(agent=agent, prefix=path).get_router())


STARTED = {"type": "RUN_STARTED", "threadId": "1", "runId": "1"}
BEGUN = {"type": "TEXT_MESSAGE_START", "messageId": "2", "role": "assistant"}
TEXT = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "2", "delta": "Yes, we are"}
FINISHED = {"type": "RUN_FINISHED", "threadId": "1", "runId": "1"}


@app.post("/bare/{end}")
def bare(end: str):
    events = [STARTED, BEGUN, TEXT] + [FINISHED] * (end == "early")
    return StreamingResponse(map(data, events), media_type="text/event-stream")


with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
    for end in ("whole", "length", "quiet", "error"):
        url = f"http://127.0.0.1:{port}/model/{end}"
        serve_pydantic_ai(f"/pydantic-ai/{end}", url)
        serve_langgraph(f"/langgraph/{end}", url)
        serve_agno(f"/agno/{end}", url)
    pathlib.Path("port.txt").write_text(f"{port}\n")
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run([listener])
END

cat >seen.mjs <<'END'
import {HttpAgent} from "@ag-ui/client";

console.error = () => {};
const ENDS = ["whole", "length", "quiet", "error"];
const SERVERS = {"pydantic-ai": ENDS, langgraph: ENDS, agno: ENDS, bare: ["quiet", "early"]};
for (const [server, ends] of Object.entries(SERVERS)) for (const end of ends) {
  const path = `${server}/${end}${server === "agno" ? "/agui" : ""}`;
  const agent = new HttpAgent({url: `${process.argv[2]}/${path}`});
  agent.addMessage({id: "1", role: "user", content: "Are you open?"});
  const told = [];
  let reason = "";
  const result = await agent.runAgent({}, {
    onEvent({event}) {
      if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") told.push(event.type);
      if (JSON.stringify(event).includes('"length"')) reason = ", and a reason";
    },
    onRunFailed() {
      told.push("onRunFailed");
    },
  }).then(({newMessages}) => `resolves: ${newMessages.map(({content}) => content)}`,
          ({message}) => `rejects: ${message}`);
  const events = (told.join(", ") || "no end") + reason;
  console.log(`${server.padEnd(12)}${end.padEnd(8)}${events.padEnd(28)}${result}`);
}
process.exit();
END

export NO_PROXY=127.0.0.1
venv/bin/python servers.py >servers.txt 2>&1 &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
until [ -s port.txt ]; do sleep 0.1; kill -0 $server; done
node seen.mjs "http://127.0.0.1:$(cat port.txt)" >seen.txt
cat seen.txt
diff seen.txt - <<'END'
pydantic-ai whole   RUN_FINISHED                resolves: Yes, we are open.
pydantic-ai length  RUN_FINISHED                resolves: Yes, we are
pydantic-ai quiet   RUN_FINISHED                resolves: Yes, we are
pydantic-ai error   RUN_ERROR                   resolves: Yes, we are
langgraph   whole   RUN_FINISHED                resolves: Yes, we are open.
langgraph   length  RUN_FINISHED, and a reason  resolves: Yes, we are
langgraph   quiet   RUN_FINISHED                resolves: Yes, we are
langgraph   error   RUN_ERROR                   resolves: Yes, we are
agno        whole   RUN_FINISHED                resolves: Yes, we are open.
agno        length  RUN_FINISHED                resolves: Yes, we are
agno        quiet   RUN_FINISHED                resolves: Yes, we are
agno        error   RUN_ERROR                   resolves: Yes, we are
bare        quiet   no end                      resolves: Yes, we are
bare        early   onRunFailed                 rejects: Cannot send 'RUN_FINISHED' while text messages are still active: 2
END
echo "As it was seen."
