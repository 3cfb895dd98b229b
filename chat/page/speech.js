// What a screen reader hears of an answer: whole sentences, and how it ended.
const END = /[.!?…]["'”’)\]]*\s|[。！？]|\n/g;

export class Speech {
  #place;
  #said = new WeakMap(); // of a turn: how many characters have been said

  constructor(place) {
    this.#place = place;
  }

  // What stands there already is not said.
  skip(turn) {
    this.#said.set(turn, turn.answer.textContent.length);
  }

  say(turn) {
    const text = turn.answer.textContent;
    const from = this.#said.get(turn) ?? 0;
    let to = turn.end ? text.length : from;
    if (!turn.end) for (const { index, 0: mark } of text.slice(from).matchAll(END)) to = from + index + mark.length;
    this.#said.set(turn, Math.max(from, to));
    this.#add(text.slice(from, to));
    if (turn.end) this.#add(turn.end[1]);
  }

  #add(text) {
    if (!text.trim()) return;
    const line = document.createElement("p");
    line.textContent = text;
    this.#place.append(line);
    while (this.#place.childElementCount > 20) this.#place.firstChild.remove();
  }
}
