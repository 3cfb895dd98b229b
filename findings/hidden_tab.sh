#!/usr/bin/env bash
# A page that reads with fetch-event-source asks again when its tab is seen again.
#
# @microsoft/fetch-event-source 2.0.1, for pages that read server-sent events by POST.
# What one expects: a hidden page keeps its stream, as it does with EventSource.
# Seen: when the page is hidden, the package closes the stream, without an error; when it
# is seen again, it sends the same POST again, and the text of the second answer comes
# behind the half of the first. For a model, that is a second answer to pay for. With
# `openWhenHidden: true`, there is one request and one answer.
#
# The page's document is a stand-in here, with the two things that the package asks of
# it: `hidden`, and the event `visibilitychange`.
#
# Seen on 28 November 2026 with Node 20.20.2, as below. Needs node and npm; fails if it
# sees anything else: `bash findings/hidden_tab.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
  @microsoft/fetch-event-source@2.0.1

cat >seen.mjs <<'END'
import {createServer} from "node:http";
import {createRequire} from "node:module";
const {fetchEventSource} = createRequire(import.meta.url)(
  "@microsoft/fetch-event-source");

const document = Object.assign(new EventTarget(), {hidden: false});
const window = {setTimeout, clearTimeout, fetch: (...given) => fetch(...given)};
Object.assign(globalThis, {document, window});
const turn = (hidden) => {
  document.hidden = hidden;
  document.dispatchEvent(new Event("visibilitychange"));
};

const asked = [];
let goOn, closed;  // lets the first answer end; resolves when its reader has left
const server = createServer((request, response) => {
  asked.push(request.method);
  const number = asked.length;
  response.writeHead(200, {"Content-Type": "text/event-stream"});
  response.write("data: one\n\n");
  const end = () => response.end("data: two\n\n");
  if (number > 1) return end();
  goOn = end;
  closed = new Promise((resolve) => response.on("close", resolve));
});

async function read(name, options) {
  asked.length = 0;
  const text = [], errors = [];
  let first = true;
  await fetchEventSource(`http://127.0.0.1:${server.address().port}/`, {
    method: "POST",
    body: "a question",
    ...options,
    onmessage({data}) {
      text.push(data);
      if (!first) return;
      first = false;
      setImmediate(async () => {
        turn(true);
        if (!options.openWhenHidden) await closed;
        turn(false);
        goOn();
      });
    },
    onerror(error) { errors.push(error); throw error; },
  });
  console.log(`${name.padEnd(22)}${asked.join(" ")}, errors: ${errors.length}, text: ${text.join(" ")}`);
}

server.listen(0, "127.0.0.1", async () => {
  await read("as it comes", {});
  await read("openWhenHidden: true", {openWhenHidden: true});
  process.exit();
});
END

node seen.mjs | tee seen.txt
diff seen.txt - <<'END'
as it comes           POST POST, errors: 0, text: one one two
openWhenHidden: true  POST, errors: 0, text: one two
END
echo "As it was seen."
