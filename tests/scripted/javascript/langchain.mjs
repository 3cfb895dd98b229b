// LangChain for JavaScript, by both of its ways to ask OpenAI.
import assert from "node:assert/strict";
import { ChatOpenAI, OpenAIEmbeddings } from "npm:@langchain/openai@1.6.0";
import { tool } from "npm:@langchain/core@1.4.0/tools";
import { z } from "npm:zod@4.6.7";

const configuration = { baseURL: Deno.args[0] };
const prompt = "What is a token?";
const weather = tool(({ city }) => `sunny in ${city}`, {
  name: "get_weather",
  description: "Get the weather in a city",
  schema: z.object({ city: z.string() }),
});

for (const useResponsesApi of [false, true]) {
  const model = new ChatOpenAI({
    model: "gpt-4o",
    apiKey: "k",
    maxRetries: 0,
    configuration,
    useResponsesApi,
    modelKwargs: { script: { ttft: 0, pace: 0 } },
  });
  const texts = [];
  for await (const chunk of await model.stream(prompt)) texts.push(chunk.text);
  assert.ok(texts.filter(Boolean).length > 5);
  assert.match(texts.join(""), /unit a model reads/);

  const answer = await model.bindTools([weather]).invoke("The weather in Paris?");
  assert.deepEqual(answer.tool_calls.map(({ name, args }) => [name, args]), [
    ["get_weather", { city: "Paris" }],
  ]);
  const parsed = await model
    .withStructuredOutput(z.object({ city: z.string() }))
    .invoke("The city is Paris.");
  assert.equal(typeof parsed.city, "string");
}

const near = new OpenAIEmbeddings({ apiKey: "k", configuration });
assert.equal((await near.embedQuery("a stream")).length, 1536);
console.log("all held");
