#!/usr/bin/env bash
# What the proxies of Node's dev servers do to a stream: Vite's, webpack-dev-server's.
#
# webpack's is http-proxy-middleware, which is tried alone, too. An app behind each sends
# an event, and waits: is it there? Its reader leaves, before the answer and after the
# first event: does the app hear it, at once or when it writes again? It cuts an answer:
# does the reader see a cut? It is silent for 75 seconds: is the answer cut? Then the
# same with a setting that lets more through. The rows are those of notebook 06c.
#
# One would expect: a proxy that passes data on passes the end on, both ways.
# Seen: http-proxy-middleware 3.0.11 does not tell the app that its reader has left, if
# that was before the first byte; webpack-dev-server 5.2.7 does not tell it at all, while
# the app writes on ten times. With these two, and with Vite, the reader of an answer that
# was cut is not told within 1.5 seconds. What `compression` compresses comes at the end.
#
# Seen on 28 November 2026 with Node 24.9.0, as below. Needs npm. Fails if it sees anything
# else: `bash findings/dev_servers.sh`. (It takes two or three minutes.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
  node@24.9.0 express@5.3.0 compression@1.8.2 \
  http-proxy-middleware@4.2.2 hpm3@npm:http-proxy-middleware@3.0.11 \
  vite@8.3.8 webpack@5.113.0 \
  webpack-dev-server@6.1.0 wds5@npm:webpack-dev-server@5.2.7
echo 'export {};' >index.js

cat >seen.mjs <<'END'
import {once} from "node:events";
import http from "node:http";
import net from "node:net";
import {setTimeout as sleep} from "node:timers/promises";
import compression from "compression";
import express from "express";
import {createProxyMiddleware} from "http-proxy-middleware";
import {createProxyMiddleware as proxyMiddleware3} from "hpm3";
import {createServer} from "vite";
import webpack from "webpack";
import Server6 from "webpack-dev-server";
import Server5 from "wds5";

const EVENT = `data: ${"on ".repeat(200)}\n\n`;
const QUIET = {logLevel: "silent"};
const TRY = 1500;  // milliseconds for what may be in vain
const within = (promise, limit) => Promise.race([promise, sleep(limit, false)]);

// An app whose answers are written here, by raw sockets.
class App {
  static async open() {
    const app = new App();
    app.waiting = [];
    app.server = net.createServer((socket) => {
      socket.on("error", () => {});
      const gone = once(socket, "close").then(() => true);
      let asked = "";
      socket.on("data", (data) => {
        const before = asked.includes("\r\n\r\n");
        asked += data;
        if (!before && asked.includes("\r\n\r\n")) app.waiting.shift()?.({socket, gone});
      });
      socket.on("end", () => socket.end());
    });
    app.server.listen(0, "127.0.0.1");
    await once(app.server, "listening");
    app.url = `http://127.0.0.1:${app.server.address().port}`;
    return app;
  }
  take() { return new Promise((resolve) => this.waiting.push(resolve)); }
}
const begin = ({socket}) => socket.write(
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n");
const write = ({socket}) =>
  socket.write(`${EVENT.length.toString(16)}\r\n${EVENT}\r\n`);

let number = 0;
function ask(port, encoding = "identity") {
  const headers = {"Accept-Encoding": encoding, "Content-Type": "application/json"};
  const path = `/chat/${++number}`, options = {method: "POST", agent: false, headers};
  const request = http.request({host: "127.0.0.1", port, path, ...options});
  const reader = {request, bytes: 0};
  request.on("error", () => {});
  reader.first = new Promise((resolve) => { reader.came = resolve; });
  reader.ending = new Promise((resolve) => request.on("response", (response) => {
    response.on("data", (data) => { if ((reader.bytes += data.length) > 20) reader.came(true); });
    response.on("end", () => resolve("complete"));
    response.on("error", () => resolve("cut"));
  }));
  request.end("{}");
  return reader;
}

async function arriving(app, port, encoding) {
  const taken = app.take(), reader = ask(port, encoding), answer = await taken;
  begin(answer);
  write(answer);
  const live = await within(reader.first, TRY);
  answer.socket.end("0\r\n\r\n");
  await within(reader.ending, TRY);
  return live ? "live" : "at the end";
}

async function leaving(app, port, begun) {
  const taken = app.take(), reader = ask(port), answer = await taken;
  if (begun) {
    begin(answer);
    write(answer);
    await within(reader.first, TRY);
  }
  reader.request.destroy();
  if (await within(answer.gone, TRY)) return "at once";
  if (!begun) begin(answer);
  for (let tries = 0; tries < 10; tries++) {
    write(answer);
    if (await within(answer.gone, 200)) return "when it writes again";
  }
  answer.socket.destroy();
  return "never";
}

async function cutting(app, port, limit, cut) {
  const taken = app.take(), reader = ask(port), answer = await taken;
  begin(answer);
  write(answer);
  await within(reader.first, TRY);
  if (cut) answer.socket.destroy();
  const looks = await within(reader.ending, limit);
  reader.request.destroy();
  return looks || (cut ? "hangs" : "waits");
}

async function measure(name, start, zipped, fix, fixed) {
  const all = async (setting) => {
    const app = await App.open(), port = await start(app.url, false, setting);
    const before = await leaving(app, port, false), within = await leaving(app, port, true);
    const heard = before === within ? within : `${before} before the answer, then ${within}`;
    return [await arriving(app, port), heard, await cutting(app, port, TRY, true)];
  };
  const compressed = async (setting) => {
    const app = await App.open(), port = await start(app.url, true, setting);
    return [await arriving(app, port, "gzip")];
  };
  const silent = async () => {
    const app = await App.open(), port = await start(app.url, false);
    return [await cutting(app, port, 75000, false)];
  };
  const repaired = fixed === "gzip" ? compressed : all;
  const [plain, gzip, silence, then] = await Promise.all([
    all(), zipped ? compressed() : ["–"], silent(), repaired(true)]);
  const cells = [...plain, ...gzip, ...silence, fix, then.join(", ")];
  return `| ${name} | ${cells.join(" | ")} |`;
}

// The two lines that let a cut and a leaving through.
const tellReader = (proxyRes, _, res) => proxyRes.on("error", () => res.destroy());
const tellApp = (proxyReq, _, res) => res.on("close", () => proxyReq.destroy());

const middleware = (create) => async (target, zip, setting) => {
  const app = express();
  if (zip) app.use(compression({filter: (...given) => !setting && compression.filter(...given)}));
  const on = setting && !zip ? {on: {proxyRes: tellReader, proxyReq: tellApp}} : {};
  app.use(create({target, logger: undefined, ...on}));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
};

const vite = async (target, _, setting) => {
  const configure = setting ? (proxy) => proxy.on("proxyRes", tellReader) : undefined;
  const server = {host: "127.0.0.1", port: 0, proxy: {"/chat": {target, configure}}, ws: false, hmr: false};
  const started = await createServer({configFile: false, ...QUIET, server, optimizeDeps: {noDiscovery: true}});
  await started.listen();
  return started.httpServer.address().port;
};

const webpackServer = (Server, two) => async (target, zip, setting) => {
  const compiler = webpack({mode: "none", entry: "./index.js", infrastructureLogging: {level: "none"}, stats: "none"});
  const lines = two && setting ? {onProxyRes: tellReader, onProxyReq: tellApp} : {};
  const proxy = [{context: ["/chat"], target, ...QUIET, ...lines}];
  const compress = two ? zip : !setting;
  const server = new Server(
    {host: "127.0.0.1", port: 0, hot: false, liveReload: false, client: false,
     webSocketServer: false, compress, proxy}, compiler);
  await server.start();
  return server.server.address().port;
};

const READER = "`res.destroy()` on the answer's `error`";
const BOTH = `${READER}, \`proxyReq.destroy()\` on the reader's \`close\``;
const rows = await Promise.all([
  measure("http-proxy-middleware 4.2.2", middleware(createProxyMiddleware), true, "`filter` of `compression`", "gzip"),
  measure("http-proxy-middleware 3.0.11", middleware(proxyMiddleware3), true, BOTH),
  measure("Vite 8.3.8", vite, false, READER),
  measure("webpack-dev-server 6.1.0", webpackServer(Server6, false), true, "`compress: false`", "gzip"),
  measure("webpack-dev-server 5.2.7", webpackServer(Server5, true), true, BOTH),
]);
console.log(rows.join("\n"));
process.exit();
END

node_modules/.bin/node seen.mjs >seen.txt 2>errors.txt || { tail errors.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
| http-proxy-middleware 4.2.2 | live | at once | cut | at the end | waits | `filter` of `compression` | live |
| http-proxy-middleware 3.0.11 | live | never before the answer, then at once | hangs | at the end | waits | `res.destroy()` on the answer's `error`, `proxyReq.destroy()` on the reader's `close` | live, at once, cut |
| Vite 8.3.8 | live | at once | hangs | – | waits | `res.destroy()` on the answer's `error` | live, at once, cut |
| webpack-dev-server 6.1.0 | live | at once | cut | at the end | waits | `compress: false` | live |
| webpack-dev-server 5.2.7 | live | never | hangs | at the end | waits | `res.destroy()` on the answer's `error`, `proxyReq.destroy()` on the reader's `close` | live, at once, cut |
END
echo "As it was seen."
