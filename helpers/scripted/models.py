"""What `/v1/models` says: one name is listed, and any is answered to."""

from urllib.parse import unquote

from .frames import CREATED, Json

NAME = "gpt-3.5-turbo"


def model_named(name: str) -> Json:
    """Return the description of a model, by its name as a path has it."""
    return {
        "id": unquote(name),
        "object": "model",
        "created": CREATED,
        "owned_by": "scripted",
    }


MODELS: Json = {"object": "list", "data": [model_named(NAME)]}
