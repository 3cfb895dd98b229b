"""Say what a chat-completions URL does to a stream: `python -m helpers.inspecting URL`.

Exits with 0 if nothing is bad, 1 if something is, 2 if there is nothing to inspect.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from .address import Address, CannotInspect, one_line, read_address
from .finding import Finding
from .inspection import PATIENCE, inspect

NOTHING = 2
"""The exit code where there is nothing to inspect."""
EPILOG = """\
It asks the URL for three to fifteen short answers; a provider charges for them. The key
is read from a variable and never shown.
"""


def main() -> int:
    """Read the command line, print what is found, and return the exit code."""
    options = _options()
    clean: Callable[[str], str] = one_line
    try:
        address = read_address(options.url, _key(options.key_from))
        clean = address.clean
        record = read_address(options.record) if options.record else None
        findings = inspect(
            address, model=options.model, record=record, patience=options.patience
        )
        return _print(address, findings, as_json=options.json)
    except CannotInspect as error:
        print(clean(str(error)), file=sys.stderr)
        return NOTHING
    except BrokenPipeError:  # as `| head` does; Python would complain again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOTHING
    except KeyboardInterrupt:
        return 130


def _print(address: Address, findings: Iterator[Finding], *, as_json: bool) -> int:
    found: list[Finding] = []
    for finding in findings:
        if not as_json:
            if not found:
                print(address, flush=True)
            says = address.clean(finding.says)
            line = f"{finding.verdict:<8} {finding.about:<23} {says}"
            print(line, flush=True)
        found.append(finding)
    if as_json:
        value = {"url": str(address), "findings": [asdict(each) for each in found]}
        text = json.dumps(value, indent=1)
        if address.key:
            text = text.replace(json.dumps(address.key)[1:-1], "(the key)")
        print(text, flush=True)
    return int(any(each.verdict == "bad" for each in found))


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise CannotInspect(f"The variable {variable} is not set, or is empty.")
    return os.environ[variable]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.inspecting",
        description="Say what a chat-completions URL does to a stream.",
        epilog=EPILOG,
    )
    parser.add_argument("url", metavar="URL", help="such as http://localhost:8000/v1")
    parser.add_argument(
        "--model", help="its name (default: the one that the server lists)"
    )
    parser.add_argument(
        "--key-from", metavar="VARIABLE", help="the variable that holds the key"
    )
    parser.add_argument(
        "--record",
        metavar="URL",
        help="the scripted model's own URL, if it stands behind yours",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"the most that one answer may take (default: {PATIENCE:g})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not 0 < options.patience <= 3600:
        parser.exit(NOTHING, "The patience must be from 0 to 3600 seconds.\n")
    return options


if __name__ == "__main__":
    sys.exit(main())
