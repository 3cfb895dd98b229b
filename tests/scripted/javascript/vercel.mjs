// The Vercel AI SDK: it asks for responses unless it is told to chat.
import assert from "node:assert/strict";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import {
  embed,
  generateText,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";

const openai = createOpenAI({
  baseURL: Deno.args[0],
  apiKey: "k",
  fetch: (url, options) => {
    const script = { ttft: 0, pace: 0 };
    const body = JSON.stringify({ ...JSON.parse(options.body), script });
    return fetch(url, { ...options, body });
  },
});
const prompt = "What is a token?";

async function all(stream) {
  const found = [];
  for await (const item of stream) found.push(item);
  return found;
}

for (const model of [openai("gpt-4o"), openai.chat("gpt-4o")]) {
  const { textStream, finishReason, usage } = streamText({ model, prompt });
  const pieces = await all(textStream);
  assert.ok(pieces.length > 5);
  assert.match(pieces.join(""), /unit a model reads/);
  assert.equal(await finishReason, "stop");
  assert.ok((await usage).outputTokens >= pieces.length);

  const schema = z.object({ city: z.string() });
  const { partialObjectStream, object } = streamObject({
    model,
    schema,
    prompt: "The city is Paris.",
  });
  assert.ok((await all(partialObjectStream)).length > 1);
  assert.equal(typeof (await object).city, "string");

  const cities = [];
  const run = streamText({
    model,
    prompt: "What is the weather in Paris?",
    stopWhen: stepCountIs(3),
    tools: {
      get_weather: tool({
        description: "Get the weather in a city",
        inputSchema: schema,
        execute: ({ city }) => {
          cities.push(city);
          return "18 degrees and sunny";
        },
      }),
    },
  });
  assert.match((await all(run.textStream)).join(""), /18 degrees/);
  assert.deepEqual(cities, ["Paris"]);
}

const { text } = await generateText({
  model: openai.completion("gpt-3.5-turbo-instruct"),
  prompt,
});
assert.ok(text);
const { embedding } = await embed({
  model: openai.embedding("text-embedding-3-small"),
  value: prompt,
});
assert.equal(embedding.length, 1536);
console.log("all held");
