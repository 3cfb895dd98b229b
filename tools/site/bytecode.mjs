// What a visitor's first cells import, compiled: `node bytecode.mjs PYODIDE TARGET`.
// PYODIDE is a folder with Pyodide and its packages; into TARGET goes a ZIP archive of
// a .pyc for each module, by the name of its .py.
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, target] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: `${folder}/` });
const quiet = { messageCallback: () => {} };
await pyodide.loadPackage(["token-streaming-course", "piplite"], quiet);
pyodide.runPython(`
import sys
sys.dont_write_bytecode = False
import comm, IPython, jedi, piplite.piplite
import helpers.check, langchain_openai
from langchain_openai import ChatOpenAI
helpers.use_model()
ChatOpenAI(streaming=True)

from pathlib import Path
from zipfile import ZipFile

UNCHECKED = (1).to_bytes(4, "little") + bytes(8)
"""Flags and a hash that nobody compares: what is packed together stays together."""
[site] = [f"{path}/" for path in sys.path if path.endswith("site-packages")]
specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
files = {spec.origin: spec.cached for spec in specs if spec and spec.cached}
with ZipFile("/bytecode.zip", "w") as archive:
    for origin, cached in files.items():
        if origin.startswith(site):
            data = Path(cached).read_bytes()
            packed = data[:4] + UNCHECKED + data[16:]
            archive.writestr(origin.removeprefix(site), packed)
`);
writeFileSync(target, pyodide.FS.readFile("/bytecode.zip"));
