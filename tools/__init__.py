"""What run.py starts: the reader's copies, and a maintainer's tools for notebooks."""

import sys

# jsonschema, which nbformat and JupyterLab import, would read a grammar of addresses
# beyond ASCII here, a second in each process. No notebook has a field of that format.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
