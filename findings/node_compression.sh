#!/usr/bin/env bash
# Node's `compression` holds back a stream of events, unless it says `no-transform`.
#
# compression 1.8.2 in front of express 5.3.0. An endpoint sends an event, waits until
# the reader has it, for two seconds at most, and sends another. A reader that accepts
# gzip, as browsers do, gets nothing before the answer has ended; nginx's header
# `X-Accel-Buffering: no` and `Cache-Control: no-store` change nothing. With
# `Cache-Control: no-transform`, the middleware leaves the answer alone, and the first
# event arrives at once. (`res.flush()` after each event is the other way; it takes a
# change in the app.)
#
# Seen on 28 November 2026 with Node 20.20.2, as below. Needs node and npm; fails if it
# sees anything else: `bash findings/node_compression.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact compression@1.8.2 express@5.3.0

cat >seen.mjs <<'EOF'
import compression from "compression";
import express from "express";

const EVENT = 'data: {"text": " on"}\n\n';
let arrived;  // called when the reader has the first event
const app = express().use(compression());
app.get("/", async ({query}, response) => {
  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "X-Accel-Buffering": "no",
    ...(query.cache && {"Cache-Control": query.cache}),
  });
  response.write(EVENT);
  if (query.flush) response.flush();
  const limit = new Promise((resolve) => setTimeout(resolve, 2000, "held back"));
  const reader = new Promise((resolve) => { arrived = () => resolve("live"); });
  const how = await Promise.race([reader, limit]);
  response.end(EVENT);
  console.log(`${query.name.padEnd(27)}${how}`);
});

const server = app.listen(0, "127.0.0.1", async () => {
  const cases = [
    ["as it comes", {}],
    ["no-store", {cache: "no-store"}],
    ["no-cache", {cache: "no-cache"}],
    ["no-store, no-transform", {cache: "no-store, no-transform"}],
    ["flush after each event", {flush: 1}],
    ["a reader without gzip", {}, "identity"],
  ];
  for (const [name, query, encoding = "gzip"] of cases) {
    const address = `http://127.0.0.1:${server.address().port}/?`;
    const headers = {"Accept-Encoding": encoding};
    const answer = await fetch(address + new URLSearchParams({name, ...query}), {headers});
    for await (const _ of answer.body) arrived();
  }
  process.exit();
});
EOF

node seen.mjs | tee seen.txt
diff seen.txt - <<'EOF'
as it comes                held back
no-store                   held back
no-cache                   held back
no-store, no-transform     live
flush after each event     live
a reader without gzip      live
EOF
echo "As it was seen."
