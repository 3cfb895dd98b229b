"""The responses that are kept, for a later request to go on from."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from ..error import ApiError
from ..frames import Json
from ..message import Message
from .items import Item

KEPT = 1_000
"""How many responses; the oldest go first."""

LARGEST = 64 * 1024 * 1024
"""Bytes that the requests of all of them had, together."""


class Kept(Struct):
    """A response, and the conversation up to it."""

    id: str
    status: str
    body: Raw
    """The response at its end, as JSON."""
    items: Raw
    """The items that its request brought, as JSON."""
    messages: Sequence[Message]
    """All of the conversation, without instructions."""
    size: int


class Store:
    """The last responses, by their ids."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[str, Kept] = {}
        self._size = 0

    def keep(self, kept: Kept) -> None:
        """Keep a response, and forget the oldest ones if there are too many."""
        self._kept[kept.id] = kept
        self._size += kept.size
        while len(self._kept) > KEPT or (self._size > LARGEST and len(self._kept) > 1):
            self._forget(next(iter(self._kept)))

    def find(self, identity: str) -> Kept:
        """Return a response; raises ApiError (404) if it is not there."""
        if identity in self._kept:
            return self._kept[identity]
        raise ApiError(f"Response with id '{identity}' not found.", status=404)

    def before(self, identity: str | None) -> Sequence[Message]:
        """Return the conversation that a request goes on with.

        Raises ApiError (400) if it is not there.
        """
        if identity is None:
            return ()
        if identity in self._kept:
            return self._kept[identity].messages
        raise ApiError(
            f"Previous response with id '{identity}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )

    def resolved(self, item: Item) -> Item:
        """Return the item, or the one that it refers to.

        Raises ApiError (400) if that is not there.
        """
        if item.type != "item_reference":
            return item
        for kept in reversed(self._kept.values()):
            for known in msgspec.json.decode(kept.body)["output"]:
                if known["id"] == item.id:
                    return msgspec.convert(known, Item)
        raise ApiError(f"Item with id '{item.id}' not found.", param="input")

    def served(self, method: str, path: str) -> Json | Raw | None:
        """Return what a request for a stored response gets; None: no such thing.

        `path` is what comes after `/v1/responses/`.
        """
        identity, _, rest = path.partition("/")
        if method == "GET" and not rest:
            return self.find(identity).body
        if method == "GET" and rest == "input_items":
            items = msgspec.json.decode(self.find(identity).items)[::-1]
            return {
                "object": "list",
                "data": items,
                "first_id": items[0]["id"] if items else None,
                "last_id": items[-1]["id"] if items else None,
                "has_more": False,
            }
        if method == "DELETE" and not rest:
            self.find(identity)
            self._forget(identity)
            return {"id": identity, "object": "response", "deleted": True}
        return None

    def _forget(self, identity: str) -> None:
        self._size -= self._kept.pop(identity).size
