#!/usr/bin/env bash
# What JavaScript clients say of an answer that breaks off.
#
# npm's openai 7.59.0, ai 7.0.173 with @ai-sdk/openai-compatible 3.0.92, and
# @langchain/openai 1.6.0. The server is that of broken_answers_python.sh: a whole answer,
# or three pieces of it and then the end of the body in good order (quiet), a closed
# connection (cut), a frame with an error (error), or a frame that is not JSON and the
# rest of the answer (bad).
#
# Guessed before it was run: what raises in Python raises here; the AI SDK calls the
# reason of the quiet end `other`.
# Seen: the AI SDK's loop ends without an exception after a frame with an error, and after
# a bad one, where the others raise. Its reason of the quiet end is `error`. After the bad
# frame it goes on, and its reason is `stop`, though what that frame said is lost.
# openai's `finalChatCompletion()` is the one of the four that raises at the quiet end. A
# cut is a TypeError in openai's loop and in LangChain's.
#
# A line is a client; a column is whole, quiet, cut, error, bad; `!` is raised.
# Seen on 28 November 2026 with Node 24.9.0, which is installed too, as these clients want
# more than Node 20. Needs node and npm; fails if it sees anything else:
# `bash findings/broken_answers_npm.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact node@24.9.0 openai@7.59.0 \
  ai@7.0.173 @ai-sdk/openai-compatible@3.0.92 @langchain/openai@1.6.0 @langchain/core@1.4.0

cat >seen.mjs <<'END'
import {createServer} from "node:http";
import {createOpenAICompatible} from "@ai-sdk/openai-compatible";
import {ChatOpenAI} from "@langchain/openai";
import {streamText} from "ai";
import OpenAI from "openai";

const HALF = ["One", " two", " three"], WHOLE = [...HALF, " four"];
let requests = 0;
const server = createServer(async (request, response) => {
  requests += 1;
  const {model: way} = JSON.parse((await Array.fromAsync(request)).join(""));
  response.writeHead(200, {"Content-Type": "text/event-stream"});
  const write = (data) => new Promise((sent) => response.write(`data: ${data}\n\n`, sent));
  const frame = (delta, finish_reason = null) => write(JSON.stringify({
    id: "1", object: "chat.completion.chunk", created: 1, model: "m",
    choices: [{index: 0, delta, finish_reason}],
  }));
  await frame({role: "assistant", content: ""});
  for (const content of HALF) await frame({content});
  if (way === "cut") return request.socket.end();
  if (way === "error") await write('{"error": {"message": "boom", "code": 500}}');
  if (way === "bad") await write('{"choices": [{"delta": {"cont');
  if (way === "whole" || way === "bad") {
    await frame({content: " four"});
    await frame({}, "stop");
    await write("[DONE]");
  }
  response.end();
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const url = `http://127.0.0.1:${server.address().port}/v1`;
const messages = [{role: "user", content: "Hi"}];
const sdk = new OpenAI({baseURL: url, apiKey: "none"});

const clients = {
  async "openai, for await"(model, kept) {
    let reason;
    const asked = {model, messages, stream: true};
    for await (const {choices: [choice]} of await sdk.chat.completions.create(asked)) {
      kept.push(choice.delta.content ?? "");
      reason = choice.finish_reason;
    }
    return reason;
  },
  async "openai, finalChatCompletion"(model, kept) {
    const stream = sdk.chat.completions.stream({model, messages});
    stream.on("content", (piece) => kept.push(piece));
    return (await stream.finalChatCompletion()).choices[0].finish_reason;
  },
  async "ai, textStream"(model, kept) {
    const provider = createOpenAICompatible({name: "tiny", baseURL: url});
    const result = streamText({model: provider(model), messages, onError() {}});
    result.finishReason.then(null, () => {});  // it is rejected after a cut
    for await (const piece of result.textStream) kept.push(piece);
    return await result.finishReason;
  },
  async "@langchain/openai"(model, kept) {
    const configuration = {baseURL: url};
    let reason;
    const llm = new ChatOpenAI({model, apiKey: "none", configuration});
    for await (const chunk of await llm.stream("Hi")) {
      kept.push(chunk.text);
      reason = chunk.response_metadata.finish_reason ?? reason;
    }
    return reason;
  },
};
for (const [name, client] of Object.entries(clients)) {
  const ends = [];
  for (const way of ["whole", "quiet", "cut", "error", "bad"]) {
    const kept = [];
    requests = 0;
    let end = await client(way, kept)
      .then(String, (error) => `!${error.constructor.name}`);
    if (requests > 1) end += ` (${requests} requests)`;
    const [came, whole] = [kept, WHOLE].map((pieces) => pieces.join(""));
    if (way === "bad" && came === whole) end += " (went on)";
    else if (came !== (way === "whole" ? whole : HALF.join(""))) end += ` (kept ${came})`;
    ends.push(end);
  }
  console.log([name, ...ends].join(" | "));
}
process.exit();
END

NO_PROXY=127.0.0.1 node_modules/.bin/node seen.mjs >seen.txt 2>errors.txt
cat seen.txt
diff seen.txt - <<'END'
openai, for await | stop | null | !TypeError | !APIError | !SyntaxError
openai, finalChatCompletion | stop | !OpenAIError | !OpenAIError | !APIError | !OpenAIError
ai, textStream | stop | error | !APICallError | error | stop (went on)
@langchain/openai | stop | undefined | !TypeError | !APIError | !SyntaxError
END
echo "As it was seen."
