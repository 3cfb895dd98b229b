#!/usr/bin/env bash
# What eight Markdown packages for chats show of an answer that is whole.
#
# While an answer comes, such a package closes what is open, and hides half of a tag. Each
# gets four whole answers, as its manual begins, and is told the end where it has a word
# for that (`final`, `finalize()`, `parser_end`). None of the four has any markup in it:
# marked, which knows no streams, shows them as they are. The script prints the text that
# each shows, and what of it is emphasised (em), strong, or struck out (del).
#
# Guessed before it was run: the help for what is not finished ends with the stream; all
# show each word of a whole answer, and no more.
# Seen: of `i <n and j <m`, Streamdown and both of markstream drop all from `<n` on, as
# half a tag, for good; Streamdown drops the paragraph behind it, too (as in
# https://github.com/vercel/streamdown/issues/616). Streamdown and its two likenesses for
# Vue show asterisks that nobody wrote, or set the rest of a paragraph in italics;
# streaming-markdown does the latter.
# Repairs: for Streamdown and vue-stream-markdown, `mode: "static"` at the end of the
# answer; for streamdown-vue, `parseIncompleteMarkdown: false`; for markstream, none was
# found.
#
# Seen on 28 November 2026 with Node 20.20.2, as below. Needs node and npm; fails if it
# sees anything else: `bash findings/whole_markdown.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact --legacy-peer-deps \
  marked@18.2.1 react@19.3.1 react-dom@19.3.1 vue@3.5.45 streamdown@2.7.1 \
  markstream-react@2.0.13 flowtoken@1.0.40 @incremark/core@0.3.10 \
  streaming-markdown@0.2.15 streamdown-vue@1.0.34 vue-stream-markdown@1.0.4 \
  markstream-vue@2.0.13

cat >seen.mjs <<'END'
import {createIncremarkParser} from "@incremark/core";
import flowtoken from "flowtoken";
import {marked} from "marked";
import markstreamReact from "markstream-react";
import markstreamVue from "markstream-vue";
import {createElement} from "react";
import {renderToStaticMarkup} from "react-dom/server";
import {Streamdown} from "streamdown";
import {StreamMarkdown} from "streamdown-vue";
import * as smd from "streaming-markdown";
import {createSSRApp, h} from "vue";
import {Markdown} from "vue-stream-markdown";
import {renderToString} from "vue/server-renderer";

const ANSWERS = [
  "It ends when i <n and j <m.",
  "It goes on if i <n holds.\n\nThen it ends.",
  "In Python, 2 ** 8 is 256.",
  "Call f(*args, **kwargs).",
];

const react = (component, props, text) => (answer) =>
  renderToStaticMarkup(createElement(component, {...props, [text]: answer}, answer));
const vue = (component, props) => (content) =>
  renderToString(createSSRApp({render: () => h(component, {...props, content})}));

function incremark(answer) {
  const parser = createIncremarkParser({gfm: true});
  for (const letter of answer) parser.append(letter);
  parser.finalize();
  const html = ({type, value, children = []}) => {
    const inner = type === "text" ? value.replaceAll("<", "&lt;") : children.map(html).join("");
    const tag = {paragraph: "p", emphasis: "em", strong: "strong", delete: "del"}[type];
    return tag ? `<${tag}>${inner}</${tag}>` : inner;
  };
  return html(parser.getAst());
}

function streamingMarkdown(answer) {
  const tags = {
    [smd.PARAGRAPH]: "p", [smd.STRONG_AST]: "strong", [smd.ITALIC_AST]: "em",
    [smd.STRIKE]: "del",
  };
  const open = [];
  let html = "";
  const parser = smd.parser({
    add_token(_, token) {
      open.push(tags[token] ?? "span");
      html += `<${open.at(-1)}>`;
    },
    end_token() {
      html += `</${open.pop()}>`;
    },
    add_text(_, text) {
      html += text.replaceAll("<", "&lt;");
    },
    set_attr() {},
  });
  for (const letter of answer) smd.parser_write(parser, letter);
  smd.parser_end(parser);
  return html;
}

const whole = {final: true};
const fixed = {mode: "static"};
const PACKAGES = {
  streamdown: react(Streamdown, {}),
  "streamdown (static)": react(Streamdown, fixed),
  "markstream-react": react(markstreamReact, whole, "content"),
  flowtoken: react(flowtoken.AnimatedMarkdown, {animation: null}, "content"),
  "@incremark/core": incremark,
  "streaming-markdown": streamingMarkdown,
  "streamdown-vue": vue(StreamMarkdown, {}),
  "streamdown-vue (off)": vue(StreamMarkdown, {parseIncompleteMarkdown: false}),
  "vue-stream-markdown": vue(Markdown, {}),
  "vue-stream-markdown (static)": vue(Markdown, fixed),
  "markstream-vue": vue(markstreamVue, whole),
};

const shown = (html) => html
  .replaceAll(/<!--.*?-->/g, "")
  .replaceAll(/<(\/?)(\w+)[^>]*>/g, (_, end, tag) =>
    tag === "p" && end ? " | "
      : tag === "s" || tag === "del" ? `<${end}del>`
      : tag === "em" || tag === "strong" ? `<${end}${tag}>` : "")
  .replaceAll("&lt;", "<").replaceAll(/\s+/g, " ").trim().replace(/ *\|$/, "");

for (const answer of ANSWERS) {
  const written = shown(marked(answer));
  const others = [];
  const same = [];
  for (const [name, render] of Object.entries(PACKAGES)) {
    const text = shown(await render(answer));
    if (text === written) same.push(name);
    else others.push(`  ${name.padEnd(20)}${text}`);
  }
  console.log(`${written}\n  as written: ${same.join(", ")}`);
  console.log(others.join("\n"));
}
END

node seen.mjs >seen.txt 2>errors.txt || { tail errors.txt >&2; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
It ends when i <n and j <m.
  as written: streamdown (static), flowtoken, @incremark/core, streaming-markdown, streamdown-vue, streamdown-vue (off), vue-stream-markdown, vue-stream-markdown (static)
  streamdown          It ends when i
  markstream-react    It ends when i
  markstream-vue      It ends when i
It goes on if i <n holds. | Then it ends.
  as written: streamdown (static), flowtoken, @incremark/core, streaming-markdown, streamdown-vue, streamdown-vue (off), vue-stream-markdown, vue-stream-markdown (static)
  streamdown          It goes on if i
  markstream-react    It goes on if i | Then it ends.
  markstream-vue      It goes on if i | Then it ends.
In Python, 2 ** 8 is 256.
  as written: streamdown (static), markstream-react, flowtoken, @incremark/core, streaming-markdown, streamdown-vue (off), vue-stream-markdown (static), markstream-vue
  streamdown          In Python, 2 ** 8 is 256.**
  streamdown-vue      In Python, 2 ** 8 is 256.**
  vue-stream-markdown In Python, 2 ** 8 is 256.**
Call f(*args, **kwargs).
  as written: streamdown (static), markstream-react, flowtoken, @incremark/core, streamdown-vue (off), vue-stream-markdown (static), markstream-vue
  streamdown          Call f(<em>args, kwargs).</em>
  streaming-markdown  Call f(<em>args, <strong>kwargs).
  streamdown-vue      Call f(<em>args, <strong>kwargs).</strong></em>****
  vue-stream-markdown Call f(<em>args, <strong>kwargs).</strong></em>
END
echo "As it was seen."
