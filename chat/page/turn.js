// A question and its answer, as they stand on the page, and the stream that fills them.
import { render } from "./markdown.js";

const EVERY = 50; // milliseconds from one drawing to the next, at least
const ENDS = { stop: "complete", stopped: "stopped", length: "cut off at its limit" };

function element(name, className, parent, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  parent.append(made);
  return made;
}

export class Turn {
  text = "";
  seen = 0; // the number of the last event
  end = null; // how it ended: a class name and words; null while it is written
  #source = null;
  #timer = null;

  // `hooks`: `changed(turn)` after each change, `spoken(text)` for each new sentence,
  // `lost(turn)` when the browser gives up, `retry(turn)`.
  constructor({ id, question }, main, hooks) {
    this.id = id;
    this.question = question;
    this.hooks = hooks;
    this.view = element("article", "", main);
    element("p", "question", this.view, question);
    this.answer = element("div", "answer", this.view);
    this.status = element("p", "status", this.view);
    this.actions = element("div", "actions", this.view);
    this.#button("Copy", () => navigator.clipboard.writeText(this.text));
    this.#button("Retry", () => hooks.retry(this));
    if (!navigator.clipboard) this.actions.firstChild.remove(); // the page is not secure
    this.#say("waiting …");
  }

  // Show an answer that has ended.
  finish(text, { event, ...data }) {
    this.close();
    this.text = text;
    this.#ended(event, data);
  }

  // Follow the stream from its beginning, unless that is done already.
  follow() {
    if (this.#source || this.end) return;
    const before = this.text.length; // what was on the page is not read out again
    this.text = "";
    this.seen = 0;
    const source = (this.#source = new EventSource(`streams/${this.id}`));
    source.addEventListener("open", () => this.#say(this.text ? "writing …" : "waiting …"));
    source.addEventListener("token", (event) => {
      if (!this.#isNew(event)) return;
      this.text += JSON.parse(event.data).text;
      if (this.text.length >= before) this.#drawSoon();
    });
    source.addEventListener("done", (event) => {
      if (this.#isNew(event)) this.#ended("done", JSON.parse(event.data));
    });
    source.addEventListener("error", (event) => {
      if (event.data !== undefined) this.#ended("error", JSON.parse(event.data));
      else if (source.readyState === EventSource.CLOSED) {
        this.close();
        this.#say("connection lost: trying again …");
        this.hooks.lost(this);
      } else this.#say("connection lost: trying again …");
    });
  }

  close() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  remove() {
    this.close();
    this.view.remove();
  }

  #isNew(event) {
    const number = Number(event.lastEventId);
    const isNew = number > this.seen;
    if (isNew) this.seen = number;
    return isNew;
  }

  #drawSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#draw();
      this.#say("writing …");
    }, EVERY);
  }

  #draw() {
    this.hooks.changed(this, () => this.answer.replaceChildren(render(this.text)));
    this.hooks.spoken(this);
  }

  #ended(event, data) {
    this.close();
    const reason = data.finish_reason;
    if (event === "error") this.end = ["error", `error: ${data.message}`];
    else if (reason === "stop" || reason === "stopped") this.end = [ENDS[reason], ENDS[reason]];
    else this.end = ["cut", ENDS[reason] ?? `cut off: ${reason}`];
    this.#draw();
    this.#say(this.end[1], this.end[0]);
  }

  #say(words, className = "") {
    if (this.status.textContent === words) return;
    this.hooks.changed(this, () => {
      this.status.textContent = words;
      this.status.className = `status ${className}`;
      this.actions.hidden = !this.end;
    });
  }

  #button(name, act) {
    const button = element("button", "", this.actions, name);
    button.type = "button";
    button.addEventListener("click", act);
  }
}
