// OpenAI's own client for JavaScript: streams, its helpers, and the tools that it runs.
import assert from "node:assert/strict";
import OpenAI from "npm:openai@6.49.0";

const client = new OpenAI({ baseURL: Deno.args[0], apiKey: "k", maxRetries: 0 });
const hello = { tokens: ["Hel", "lo"], ttft: 0, pace: 0 };
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const chat = { model: "m", messages };
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

async function all(stream) {
  const found = [];
  for await (const item of stream) found.push(item);
  return found;
}

const chunks = await all(
  await client.chat.completions.create({ ...chat, stream: true, script: hello }),
);
assert.equal(chunks.map((it) => it.choices[0].delta.content ?? "").join(""), "Hello");

const helper = client.chat.completions.stream({ ...chat, script: hello });
const seen = [];
helper.on("content", (_, snapshot) => seen.push(snapshot));
assert.equal(await helper.finalContent(), "Hello");
assert.deepEqual(seen, ["Hel", "Hello"]);

const called = [];
const runner = client.chat.completions.runTools({
  ...chat,
  stream: true,
  tools: [{
    type: "function",
    function: {
      name: "get_weather",
      description: "Get the weather in a city",
      parameters,
      parse: JSON.parse,
      function: ({ city }) => {
        called.push(city);
        return "18 degrees and sunny";
      },
    },
  }],
  script: { ttft: 0, pace: 0 },
});
assert.match(await runner.finalContent(), /18 degrees/);
assert.deepEqual(called, ["Paris"]);

const asked = { model: "m", input: "Say hello", script: hello };
const events = await all(await client.responses.create({ ...asked, stream: true }));
assert.equal(events[0].type, "response.created");
assert.equal(events.at(-1).type, "response.completed");
assert.equal((await client.responses.create(asked)).output_text, "Hello");

const stream = client.responses.stream(asked);
const deltas = [];
stream.on("response.output_text.delta", (event) => deltas.push(event.delta));
assert.equal((await stream.finalResponse()).output_text, "Hello");
assert.deepEqual(deltas, ["Hel", "lo"]);

const text = await client.completions.create({
  model: "m",
  prompt: "Say hello",
  stream: true,
  script: hello,
});
assert.equal((await all(text)).map((it) => it.choices[0].text).join(""), "Hello");

const near = await client.embeddings.create({ model: "m", input: ["a stream", "b"] });
assert.equal(near.data[0].embedding.length, 1536);

await assert.rejects(
  client.chat.completions.create({ ...chat, temperature: 9 }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature",
);
console.log("all held");
