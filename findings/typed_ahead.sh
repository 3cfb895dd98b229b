#!/usr/bin/env bash
# In a notebook, a click on a button overtakes what was typed while the kernel was busy.
#
# @jupyter-widgets/controls 5.0.13, the front end of ipywidgets 8.1.9. Somebody types
# "Hello" into a Textarea, which tells the kernel its value at each letter, and clicks on
# a Button; the kernel runs another cell meanwhile.
# What one expects: the kernel hears of the letters, then of the click. So a handler
# that reads the value has all of it.
# Seen: the first letter is sent. What is typed next is held back until the kernel has
# dealt with that, and the click is not. So the handler has "H", and the rest comes when
# the model has been asked. With `continuous_update=False`, the value is sent once, and
# before the click.
#
# The kernel is a stand-in here: it notes what it is sent, and deals with it at the end.
# The page is jsdom's, and the Button's message is noted where its `send` would be.
#
# Seen on 29 November 2026 with Node 20.20.2, as below. Needs node and npm; fails if it
# sees anything else: `bash findings/typed_ahead.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
  @jupyter-widgets/base@6.0.12 @jupyter-widgets/controls@5.0.13 jsdom@29.1.1 \
  esbuild@0.28.2

cat >page.cjs <<'END'
const {window} = new (require("jsdom").JSDOM)("", {url: "http://localhost/"});
for (const name of Object.getOwnPropertyNames(window))
  if (!(name in globalThis)) globalThis[name] = window[name];
globalThis.window = window;
globalThis.DragEvent = class extends window.MouseEvent {}; // jsdom has none
END

cat >seen.mjs <<'END'
import {ButtonModel, ButtonView, TextareaModel, TextareaView}
  from "@jupyter-widgets/controls";

function type(name, options) {
  const heard = [], waiting = [];
  const comm = (id) => ({
    comm_id: id,
    on_msg() {},
    on_close() {},
    send({method, state, content}, callbacks) {
      heard.push(method === "update" ? `value ${state.value}` : content.event);
      waiting.push(callbacks);
      return `message ${heard.length}`;
    },
  });
  const widget_manager = {callbacks: () => ({iopub: {}}), get_model: async () => null};
  const widget = (Model, View, id, state) => {
    const model = new Model(state, {model_id: id, comm: comm(id), widget_manager});
    const view = new View({model, options: {}});
    view.render();
    return view.el;
  };
  const box = widget(TextareaModel, TextareaView, "box", options)
    .querySelector("textarea");
  const button = widget(ButtonModel, ButtonView, "button", {});

  for (const letter of "Hello") {
    box.value += letter;
    box.dispatchEvent(new window.Event("input", {bubbles: true}));
  }
  box.dispatchEvent(new window.Event("change", {bubbles: true})); // it loses the focus
  button.click();
  while (waiting.length) // the kernel is free again
    waiting.shift()?.iopub?.status?.({content: {execution_state: "idle"}});
  console.log(name.padEnd(26) + heard.join(", "));
}

type("a Textarea", {});
type("continuous_update=False", {continuous_update: false});
END

npx esbuild seen.mjs --bundle --platform=node --outfile=seen.cjs --log-level=warning \
  --loader:.css=empty --loader:.svg=empty
node -r ./page.cjs seen.cjs | tee seen.txt
diff seen.txt - <<'END'
a Textarea                value H, click, value Hello
continuous_update=False   value Hello, click
END
echo "As it was seen."
