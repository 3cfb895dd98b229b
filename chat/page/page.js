// The page: it shows the conversation that the server keeps, and asks.
import { Speech } from "./speech.js";
import { Turn } from "./turn.js";

const [main, trouble, question, ask, stop, anew, spoken] = [
  ..."turns trouble question ask stop anew spoken".split(" "),
].map((id) => document.getElementById(id));
const form = document.forms[0];
const turns = new Map(); // by id, oldest first
const tabs = new BroadcastChannel("chat"); // the other tabs of this browser
const speech = new Speech(spoken);
let again = null; // the timer of the next try
let changes = 0; // of the conversation, by this page

const hooks = { changed: follow, spoken: speak, lost: later, retry };
const underWay = () => [...turns.values()].findLast((turn) => !turn.end);

// Show what the server has: turns that this page lacks, and ends that it missed.
async function load() {
  clearTimeout(again);
  again = null;
  let found;
  const before = changes;
  try {
    const response = await fetch("conversation");
    if (!response.ok) throw new Error(response.statusText);
    found = (await response.json()).turns;
  } catch {
    return later();
  }
  if (before !== changes) return load(); // what came is older than what is shown
  const ids = new Set(found.map((turn) => turn.id));
  for (const [id, turn] of turns) if (!ids.has(id)) drop(id, turn);
  for (const each of found) {
    const isNew = !turns.has(each.id);
    const turn = turns.get(each.id) ?? add(each);
    if (turn.end) continue;
    turn.isRead = isNew; // what stood there before is not read out
    if (each.end) turn.finish(each.text, each.end);
    else turn.follow();
  }
  show();
}

// Try again, soon, and not with all the other pages at once.
function later() {
  again ??= setTimeout(load, 1000 + 2000 * Math.random());
}

function add(each) {
  const turn = new Turn(each, main, hooks);
  turns.set(turn.id, turn);
  return turn;
}

function drop(id, turn) {
  turn.remove();
  turns.delete(id);
}

function speak(turn) {
  if (turn.isRead) speech.skip(turn);
  else speech.say(turn);
  turn.isRead = false;
}

// Stay at the end of the page, unless the reader has scrolled up.
function follow(turn, change) {
  const all = document.documentElement;
  const atEnd = all.scrollHeight - all.scrollTop - all.clientHeight < 60;
  change();
  if (atEnd) all.scrollTop = all.scrollHeight;
  show();
}

function show() {
  const writing = Boolean(underWay());
  const focused = document.activeElement === stop;
  ask.hidden = writing;
  stop.hidden = !writing;
  if (focused && !writing) question.focus();
  const last = [...turns.keys()].at(-1);
  for (const [id, turn] of turns) turn.actions.lastChild.hidden = id !== last;
}

// Send a question; return whether it was taken.
async function send(message, replaces = "") {
  trouble.textContent = "";
  ask.disabled = true;
  try {
    const response = await fetch("streams", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message, replaces }),
    });
    const answer = await response.json().catch(() => ({}));
    // HTTP/2 has no `statusText`, and what stands between has no `detail`.
    if (!response.ok) throw new Error(answer.detail ?? `The status was ${response.status}.`);
    changes += 1;
    if (replaces && turns.has(replaces)) drop(replaces, turns.get(replaces));
    if (!turns.has(answer.id)) add({ id: answer.id, question: message }).follow();
    document.documentElement.scrollTop = document.documentElement.scrollHeight;
    tabs.postMessage("changed");
    return true;
  } catch (error) {
    const lost = error instanceof TypeError;
    if (lost) later(); // it may have come through, and then it is shown
    trouble.textContent = lost
      ? "Not sent, or the reply was lost: the server cannot be reached."
      : `Not sent. ${error.message}`;
    return false;
  } finally {
    ask.disabled = false;
    show();
  }
}

async function retry(turn) {
  if (!underWay()) await send(turn.question, turn.id);
  question.focus();
}

// Ask for a change that has no answer but its success.
async function remove(what) {
  trouble.textContent = "";
  try {
    const response = await fetch(what, { method: "DELETE" });
    if (!response.ok && response.status !== 404) throw new Error(response.statusText);
  } catch {
    trouble.textContent = "The server cannot be reached. Please try again.";
    return false;
  }
  changes += 1;
  tabs.postMessage("changed");
  return true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = question.value.trim();
  if (!message || underWay() || ask.disabled) return;
  question.value = "";
  if (!(await send(message)) && !question.value) question.value = message;
});

question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

stop.addEventListener("click", () => {
  for (const turn of turns.values()) if (!turn.end) remove(`streams/${turn.id}`);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && !stop.hidden) stop.click();
});

anew.addEventListener("click", async () => {
  if (!(await remove("conversation"))) return;
  for (const [id, turn] of turns) drop(id, turn);
  show();
  question.focus();
});

tabs.addEventListener("message", load);
addEventListener("online", load);
addEventListener("pageshow", (event) => event.persisted && load());
document.addEventListener("visibilitychange", () => document.hidden || load());
load();
