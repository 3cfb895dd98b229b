// Faults by name alone, for OpenAI's client and the Vercel AI SDK: no field of ours.
import assert from "node:assert/strict";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import { streamText } from "npm:ai@7.0.173";
import OpenAI from "npm:openai@6.49.0";

const url = Deno.args[0];
const prompt = "Count from 1 to 20";
const whole = Array.from({ length: 20 }, (_, i) => i + 1).join(", ");
const half = (text) => text !== "" && text.length < whole.length && whole.startsWith(text);

async function openai(baseURL, model) {
  const client = new OpenAI({ baseURL, apiKey: "k", maxRetries: 0 });
  const messages = [{ role: "user", content: prompt }];
  let text = "", reason = null;
  try {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const { choices: [choice] } of stream) {
      text += choice.delta.content ?? "";
      reason = choice.finish_reason ?? reason;
    }
    return { text, reason };
  } catch (error) {
    return { text, error };
  }
}

async function vercel(baseURL, model) {
  const provider = createOpenAI({ baseURL, apiKey: "k" });
  const errors = [];
  const answer = streamText({
    model: provider.chat(model),
    prompt,
    maxRetries: 0,
    onError: ({ error }) => errors.push(error),
  });
  let text = "";
  try {
    for await (const piece of answer.textStream) text += piece;
    return { text, reason: await answer.finishReason, errors };
  } catch (error) {
    return { text, error };
  }
}

const path = (fault) => url.replace("/v1", `/faults/${fault}/v1`);
for (const ways of [(fault) => [url, fault], (fault) => [path(fault), "gpt-4o"]]) {
  for (const client of [openai, vercel]) {
    const early = await client(...ways("early_end"));
    assert.ok(half(early.text), early.text);
    assert.notEqual(early.reason, "stop");
    const dropped = await client(...ways("dropped"));
    assert.ok(half(dropped.text));
    assert.ok(dropped.error);
    const long = await client(...ways("length:3"));
    assert.equal(long.reason, "length");
    assert.ok(half(long.text));
  }
  const limited = await openai(...ways("rate_limit"));
  assert.ok(limited.error instanceof OpenAI.RateLimitError);
  assert.equal((await openai(...ways("no_done"))).text, whole);
}
console.log("all held");
