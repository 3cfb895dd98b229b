#!/usr/bin/env bash
# Which chat models of LangChain keep the reasoning that a server streams.
#
# Servers that speak OpenAI's protocol send it in a field of their own, in `delta`:
# `reasoning_content`, as DeepSeek calls it, or `reasoning`, as OpenRouter does. Here each
# class reads the same frames, from a server on this machine.
#
# Guessed before it was run: langchain-openai drops both fields, as it says itself; the
# package of a provider keeps whichever comes.
# Seen: four keep both. Two keep only the one field, two only the other, so a server
# that changes the name loses its reasoning without a word. langchain-openai and
# langchain-together keep neither. The text and the finish reason are whole every time.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/reasoning_fields.sh`. (It installs about 60 packages, for a minute or two.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langchain-core==1.8.3 langchain-openai==1.7.4 langchain-deepseek==1.1.1 \
  langchain-litellm==0.11.2 langchain-nvidia-ai-endpoints==1.5.0 langchain-qwq==0.3.5 \
  langchain-xai==1.3.0 langchain-fireworks==1.7.1 langchain-groq==1.1.3 \
  langchain-openrouter==0.2.9 langchain-together==0.4.0

cat >seen.py <<'END'
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

warnings.simplefilter("ignore")

from langchain_deepseek import ChatDeepSeek
from langchain_fireworks import ChatFireworks
from langchain_groq import ChatGroq
from langchain_litellm import ChatLiteLLM
from langchain_nvidia_ai_endpoints import ChatNVIDIA
from langchain_openai import ChatOpenAI
from langchain_openrouter import ChatOpenRouter
from langchain_qwq import ChatQwen
from langchain_together import ChatTogether
from langchain_xai import ChatXAI


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # one package asks for the list of models
        models = {"object": "list", "data": [{"id": "m", "object": "model"}]}
        self.answer("application/json", json.dumps(models))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        field = self.path.split("/")[1]
        deltas = [{"role": "assistant", "content": ""}, {field: "Hm"}, {field: "m."}]
        deltas += [{"content": "Yes"}, {"content": "."}, {}]
        frames = [
            {
                **{"id": "1", "object": "chat.completion.chunk", "created": 1},
                **{"model": "m", "choices": [{"index": 0, "delta": delta}]},
            }
            for delta in deltas
        ]
        for number, frame in enumerate(frames, 1):
            reason = "stop" if number == len(frames) else None
            frame["choices"][0]["finish_reason"] = reason
        data = [*map(json.dumps, frames), "[DONE]"]
        self.answer("text/event-stream", "".join(f"data: {each}\n\n" for each in data))

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BOTH = {"model": "m", "api_key": "none"}
MODELS = {
    "langchain-deepseek": lambda url: ChatDeepSeek(api_base=url, **BOTH),
    "langchain-litellm": lambda url: ChatLiteLLM(
        model="openai/m", api_key="none", api_base=url
    ),
    "langchain-nvidia-ai-endpoints": lambda url: ChatNVIDIA(base_url=url, **BOTH),
    "langchain-qwq": lambda url: ChatQwen(base_url=url, **BOTH),
    "langchain-xai": lambda url: ChatXAI(base_url=url, **BOTH),
    "langchain-fireworks": lambda url: ChatFireworks(base_url=url, **BOTH),
    "langchain-groq": lambda url: ChatGroq(base_url=url, **BOTH),
    "langchain-openrouter": lambda url: ChatOpenRouter(base_url=url, **BOTH),
    "langchain-openai": lambda url: ChatOpenAI(base_url=url, **BOTH),
    "langchain-together": lambda url: ChatTogether(base_url=url, **BOTH),
}
for package, model in MODELS.items():
    kept = []
    for field in "reasoning_content", "reasoning":
        url = f"http://127.0.0.1:{server.server_port}/{field}/v1"
        first, *rest = model(url).stream("Is it?")
        whole = sum(rest, start=first)
        assert (whole.text, whole.response_metadata["finish_reason"]) == ("Yes.", "stop")
        blocks = [b for b in whole.content_blocks if b["type"] == "reasoning"]
        said = "".join(block["reasoning"] for block in blocks)
        assert said in ("", "Hmm."), said
        kept.append(f"{field}: {'kept' if said else 'dropped'}")
    print(f"{package:30}{kept[0]:28}{kept[1]}")
END

# LiteLLM asks a public site for a table of prices otherwise.
LITELLM_LOCAL_MODEL_COST_MAP=True venv/bin/python seen.py 2>errors.txt >seen.txt ||
  { cat errors.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
langchain-deepseek            reasoning_content: kept     reasoning: kept
langchain-litellm             reasoning_content: kept     reasoning: kept
langchain-nvidia-ai-endpoints reasoning_content: kept     reasoning: kept
langchain-qwq                 reasoning_content: kept     reasoning: kept
langchain-xai                 reasoning_content: kept     reasoning: dropped
langchain-fireworks           reasoning_content: kept     reasoning: dropped
langchain-groq                reasoning_content: dropped  reasoning: kept
langchain-openrouter          reasoning_content: dropped  reasoning: kept
langchain-openai              reasoning_content: dropped  reasoning: dropped
langchain-together            reasoning_content: dropped  reasoning: dropped
END
echo "As it was seen."
