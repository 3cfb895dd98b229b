#!/usr/bin/env bash
# What ploomber-engine stores of a notebook that shows a stream, beside nbclient.
#
# ploomber-engine 0.0.33 runs notebooks without a kernel, by a client with nbclient's
# methods (nbclient is 0.11.0 here). Three cells show 20 tokens: one prints them, one
# updates a display, one clears the output and prints again.
#
# Guessed before it was run: the same as nbclient's: 20 outputs of the prints, one
# display with its last state, one output of what was printed last.
# Seen: each differs. The prints are one output. Each update of the display is one more,
# 21 in all. What was cleared is kept, with a terminal's escape codes in the notebook.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/ploomber_outputs.sh`. (It installs about 60 packages, for a minute or two.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  ploomber-engine==0.0.33 nbclient==0.11.0 ipykernel==7.4.0 ipython==9.18.1 \
  nbformat==5.11.1 matplotlib==3.11.2

cat >seen.py <<'END'
import copy

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from ploomber_engine.ipython import PloomberClient

CELLS = {
    "prints": "for _ in range(20): print('on ', end='', flush=True)",
    "updates": """\
from IPython.display import display
shown = display("", display_id=True)
for number in range(20): shown.update("on " * (number + 1))""",
    "clears": """\
from IPython.display import clear_output
for number in range(20):
    clear_output(wait=True)
    print(f"token {number + 1}")""",
}
notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS.values()])
notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
for client in NotebookClient, PloomberClient:
    run = copy.deepcopy(notebook)
    client(run).execute()
    for name, cell in zip(CELLS, run.cells, strict=True):
        first = cell.outputs[0]
        text = first.get("text") or first["data"]["text/plain"]
        print(f"{client.__name__:15} {name:8}outputs: {len(cell.outputs):2}  first: {text[:20]!r}")
END

PYDEVD_DISABLE_FILE_VALIDATION=1 venv/bin/python seen.py >seen.txt 2>errors.txt ||
  { tail errors.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
NotebookClient  prints  outputs: 20  first: 'on '
NotebookClient  updates outputs:  1  first: "'on on on on on on o"
NotebookClient  clears  outputs:  1  first: 'token 20\n'
PloomberClient  prints  outputs:  1  first: 'on on on on on on on'
PloomberClient  updates outputs: 21  first: "''"
PloomberClient  clears  outputs:  1  first: '\x1b[2K\r\x1b[2K\rtoken 1\n\x1b['
END
echo "As it was seen."
