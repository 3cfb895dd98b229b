"""Start the chat service, with its page, beside a model: `python3 run.py chat`.

The model is what `--model` or COURSE_MODEL names, else the scripted one: so it needs no
key and no network. The service itself is in `chat/`, which knows nothing of the course.
"""

import argparse
import os
import socket
import sys
import webbrowser

import uvicorn

from chat import create_app
from helpers import use_model
from helpers.models.process import ModelUnavailable


class Server(uvicorn.Server):
    """Says where it is, once it answers."""

    url: str
    opens: bool

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the URL."""
        await super().startup(sockets)
        if self.started:
            print(f"{self.url}  (Ctrl-C ends it)", flush=True)
            if self.opens:
                webbrowser.open(self.url)


def main() -> int:
    """Read the command line, and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="run.py chat", description="Start the chat service on this machine."
    )
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--model", help="scripted (default), smollm2 or openai")
    parser.add_argument("--open", action="store_true", help="open the page, too")
    options = parser.parse_args()
    os.environ.setdefault("CHAT_GRACE", "1")  # whoever tries it does not want to wait
    try:
        use_model(options.model)
        app = create_app()
        listener = socket.create_server(("127.0.0.1", options.port))
    except (ModelUnavailable, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    server = Server(uvicorn.Config(app, log_level="warning"))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.opens = options.open
    try:
        server.run([listener])
    except KeyboardInterrupt:
        return 0
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
