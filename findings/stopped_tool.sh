#!/usr/bin/env bash
# Who tells a server of MCP that the call of a tool is cancelled?
#
# A tool on a server of mcp 2.3.0 (streamable HTTP) writes 80 pieces, one each 0.1 seconds.
# A client calls it, and the call is cancelled when the tool has begun, as Stop does it to
# an agent. Python's clients stand on mcp 1.30.0, and then, as far as they can, on 2.3.0.
#
# Guessed before it was run: all Python clients tell the server, since the protocol has a
# notification for it; of the JavaScript clients, Vercel's does not.
# Seen: all three in JavaScript stop the tool. In Python, the clients on mcp 2.3.0 do, and
# with 1.30.0 the tool writes to its end, for nobody. So one release of pydantic-ai, or of
# openai-agents, stops its tool or does not: another package beside it decides, if that
# wants `mcp<2`, as mcp-use does. With 1.30.0, LangChain's tool is stopped where each call
# has a session of its own; in a session that stays open, it writes on, too.
#
# Seen on 28 November 2026 with Python 3.11 and Node 20.20.2, as below. Needs node and npm;
# fails if it sees anything else: `bash findings/stopped_tool.sh`. (It installs about 150
# packages, for some minutes.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv new
new/bin/python -m pip install --quiet --disable-pip-version-check \
  mcp==2.3.0 fastmcp==4.2.3 fastmcp-slim==4.2.3 "pydantic-ai-slim[mcp]==2.68.0" \
  openai-agents==0.24.0
python3 -m venv old
old/bin/python -m pip install --quiet --disable-pip-version-check \
  mcp==1.30.0 fastmcp-slim==3.4.11 "pydantic-ai-slim[mcp]==2.68.0" openai-agents==0.24.0 \
  langchain-mcp-adapters==0.3.1 mcp-use==1.7.1
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @modelcontextprotocol/sdk@1.32.2 \
  @ai-sdk/mcp@2.0.99 @langchain/mcp-adapters@1.1.4 @langchain/core@1.4.0

cat >server.py <<'END'
import asyncio
import pathlib
import socket

import uvicorn
from mcp.server.mcpserver import MCPServer

PIECES = 80
server = MCPServer("tokens")
log = open("log.txt", "a", buffering=1)


@server.tool()
async def write(name: str) -> str:
    """Write an answer for long."""
    log.write(f"{name} began\n")
    try:
        for _ in range(PIECES):
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        log.write(f"{name} stopped\n")
        raise
    log.write(f"{name} wrote all\n")
    return "done"


with socket.create_server(("127.0.0.1", 0)) as listener:
    pathlib.Path("port.txt").write_text(f"{listener.getsockname()[1]}\n")
    app = server.streamable_http_app()
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run([listener])
END

cat >seen.py <<'END'
import asyncio
import contextlib
import logging
import pathlib
import sys
import time
import warnings

logging.disable()
warnings.simplefilter("ignore")
URL, version, *clients = sys.argv[1:]


def said(name):
    lines = pathlib.Path("log.txt").read_text().splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


async def until(name, count):
    end = time.monotonic() + 60
    while len(said(name)) < count:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def calls(session):
    return lambda name: session.call_tool("write", {"name": name})


@contextlib.asynccontextmanager
async def mcp():
    if version == "2.3.0":
        from mcp import Client

        async with Client(URL) as client:
            yield calls(client)
        return
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(URL) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield calls(session)


@contextlib.asynccontextmanager
async def fastmcp():
    from fastmcp import Client

    async with Client(URL) as client:
        yield calls(client)


@contextlib.asynccontextmanager
async def pydantic_ai():
    from pydantic_ai import Agent
    from pydantic_ai.mcp import MCPToolset
    from pydantic_ai.messages import ModelResponse, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    def model(messages, _):
        return ModelResponse([ToolCallPart("write", {"name": messages[0].parts[0].content})])

    async with Agent(FunctionModel(model), toolsets=[MCPToolset(URL)]) as agent:
        yield agent.run


@contextlib.asynccontextmanager
async def openai_agents():
    from agents.mcp import MCPServerStreamableHttp

    async with MCPServerStreamableHttp({"url": URL}, client_session_timeout_seconds=60) as server:
        yield calls(server)


def connections():
    from langchain_mcp_adapters.client import MultiServerMCPClient

    return MultiServerMCPClient({"tokens": {"transport": "http", "url": URL}})


@contextlib.asynccontextmanager
async def langchain():
    (tool,) = await connections().get_tools()
    yield lambda name: tool.ainvoke({"name": name})


@contextlib.asynccontextmanager
async def langchain_session():
    from langchain_mcp_adapters.tools import load_mcp_tools

    async with connections().session("tokens") as session:
        (tool,) = await load_mcp_tools(session)
        yield lambda name: tool.ainvoke({"name": name})


@contextlib.asynccontextmanager
async def mcp_use():
    from mcp_use import MCPClient

    client = MCPClient.from_dict({"mcpServers": {"tokens": {"url": URL}}})
    yield calls(await client.create_session("tokens"))
    await client.close_all_sessions()


async def see(client):
    name = f"{client}-{version}"
    async with globals()[client]() as call:
        task = asyncio.create_task(call(name))
        await until(name, 1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await until(name, 2)
    began, end = said(name)
    assert began == "began"
    print(f"{client:26}mcp {version:8}{end}", flush=True)


for client in clients:
    asyncio.run(see(client))
END

cat >seen.mjs <<'END'
import {readFileSync} from "node:fs";
import {Client} from "@modelcontextprotocol/sdk/client/index.js";
import {StreamableHTTPClientTransport} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {createMCPClient} from "@ai-sdk/mcp";
import {MultiServerMCPClient} from "@langchain/mcp-adapters";

const url = process.argv[2];
const said = (name) => readFileSync("log.txt", "utf8").split("\n")
  .filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
const until = async (name, count) => {
  for (let waits = 0; said(name).length < count; waits++) {
    if (waits > 3000) throw new Error(name);
    await new Promise((done) => setTimeout(done, 20));
  }
};

const CLIENTS = {
  async "@modelcontextprotocol/sdk"() {
    const client = new Client({name: "reader", version: "1"});
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return (name, signal) =>
      client.callTool({name: "write", arguments: {name}}, undefined, {signal});
  },
  async "@ai-sdk/mcp"() {
    const client = await createMCPClient({transport: {type: "http", url}});
    const {write} = await client.tools();
    return (name, abortSignal) =>
      write.execute({name}, {messages: [], toolCallId: "1", abortSignal});
  },
  async "@langchain/mcp-adapters"() {
    const servers = {tokens: {transport: "http", url}};
    const [tool] = await new MultiServerMCPClient({mcpServers: servers}).getTools();
    return (name, signal) => tool.invoke({name}, {signal});
  },
};

for (const [client, connect] of Object.entries(CLIENTS)) {
  const call = await connect();
  const stop = new AbortController();
  const end = call(client, stop.signal).catch(() => {});
  await until(client, 1);
  stop.abort();
  await end;
  await until(client, 2);
  console.log(client.padEnd(38) + said(client)[1]);
}
process.exit();
END

export NO_PROXY=127.0.0.1
touch log.txt
new/bin/python server.py 2>server.txt &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
until [ -s port.txt ]; do sleep 0.1; kill -0 $server; done
url=http://127.0.0.1:$(cat port.txt)/mcp
{
  old/bin/python seen.py "$url" 1.30.0 \
    mcp pydantic_ai openai_agents mcp_use langchain_session langchain
  new/bin/python seen.py "$url" 2.3.0 mcp pydantic_ai openai_agents fastmcp
  node seen.mjs "$url"
} 2>errors.txt >seen.txt || { tail errors.txt >&2; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
mcp                       mcp 1.30.0  wrote all
pydantic_ai               mcp 1.30.0  wrote all
openai_agents             mcp 1.30.0  wrote all
mcp_use                   mcp 1.30.0  wrote all
langchain_session         mcp 1.30.0  wrote all
langchain                 mcp 1.30.0  stopped
mcp                       mcp 2.3.0   stopped
pydantic_ai               mcp 2.3.0   stopped
openai_agents             mcp 2.3.0   stopped
fastmcp                   mcp 2.3.0   stopped
@modelcontextprotocol/sdk             stopped
@ai-sdk/mcp                           stopped
@langchain/mcp-adapters               stopped
END
echo "As it was seen."
