#!/usr/bin/env bash
# Which of the messages that a node of a LangGraph graph returns does its reader get?
#
# `MessagesState` takes a message in four forms: an object, a pair, a dictionary, a text.
# In the mode `messages`, LangGraph hands out what a node returns. Here a node returns the
# same answer in each form; no model is asked.
#
# Guessed before it was run: the reader gets all four, as the state does.
# Seen: the state has the answer each time. The reader gets the object alone; of the
# others, the stream has no item at all.
#
# Seen on 28 November 2026 with Python 3.11 and langgraph 1.2.24, langchain-core 1.8.3.
# Fails if it sees anything else: `bash findings/returned_pair.sh`. (It installs about 30
# packages.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langgraph==1.2.24 langchain-core==1.8.3

cat >seen.py <<'END'
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

FORMS = {
    "an object": AIMessage("We are closed."),
    "a pair": ("ai", "We are closed."),
    "a dictionary": {"role": "assistant", "content": "We are closed."},
    "a text": "We are closed.",
}
for name, form in FORMS.items():
    steps = StateGraph(MessagesState).add_node("answer", lambda _: {"messages": [form]})
    graph = steps.add_edge(START, "answer").compile()
    asked = {"messages": [("user", "Are you open?")]}
    read = [chunk.text for chunk, _ in graph.stream(asked, stream_mode="messages")]
    kept = graph.invoke(asked)["messages"][-1].text
    print(f"{name:13} state: {kept}  reader: {''.join(read) or 'nothing'}")
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
an object     state: We are closed.  reader: We are closed.
a pair        state: We are closed.  reader: nothing
a dictionary  state: We are closed.  reader: nothing
a text        state: We are closed.  reader: nothing
END
echo "As it was seen."
