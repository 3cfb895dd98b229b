"""Draw the README's picture from a real recording: `python -m tools.picture`.

The same answer, waited for and streamed, from the scripted model.
"""

from pathlib import Path

from langchain_openai import ChatOpenAI

from helpers import figure, record, record_call
from helpers.models import script

PICTURE = Path(__file__).parents[1] / "notebooks" / "images" / "waiting.svg"
QUESTION = "Explain token streaming in simple terms"


def main() -> None:
    """Record both, and save the figure."""
    llm = ChatOpenAI(**script())
    for _ in llm.stream("Hello"):
        pass  # the first request of a process pays for the connection
    waited = record_call(llm.invoke, QUESTION, label="invoke")
    for _ in (streamed := record(llm.stream(QUESTION), "stream")):
        pass
    figure(waited, streamed).save(PICTURE)
    print(f"drawn: {PICTURE.name}")


if __name__ == "__main__":
    main()
