"""A stand-in for rpds-py, where it has no build: what jsonschema uses of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class HashTrieMap(Mapping[K, V]):
    """A mapping that stays as it is: each change makes another."""

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        """Hold these items."""
        self._items = dict(items)

    @classmethod
    def convert(cls, items: Mapping[K, V]) -> HashTrieMap[K, V]:
        """Return these items as such a mapping."""
        return items if isinstance(items, cls) else cls(items)

    def insert(self, key: K, value: V) -> HashTrieMap[K, V]:
        """Return one with this item, too."""
        return HashTrieMap({**self._items, key: value})

    def remove(self, key: K) -> HashTrieMap[K, V]:
        """Return one without this key; raise KeyError if it is not there."""
        rest = dict(self._items)
        del rest[key]
        return HashTrieMap(rest)

    def update(self, other: Mapping[K, V]) -> HashTrieMap[K, V]:
        """Return one with these items, too."""
        return HashTrieMap({**self._items, **other})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class HashTrieSet(Generic[K]):
    """A set that stays as it is."""

    def __init__(self, values: Iterable[K] = ()) -> None:
        """Hold these values."""
        self._values = frozenset(values)

    def insert(self, value: K) -> HashTrieSet[K]:
        """Return one with this value, too."""
        return HashTrieSet({*self, value})

    def update(self, other: Iterable[K]) -> HashTrieSet[K]:
        """Return one with these values, too."""
        return HashTrieSet({*self, *other})

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class List(Generic[V]):
    """A list that stays as it is."""

    def __init__(self, values: Iterable[V] = ()) -> None:
        """Hold these values."""
        self._values = tuple(values)

    def push_front(self, value: V) -> List[V]:
        """Return one that begins with this value."""
        return List((value, *self._values))

    def __iter__(self) -> Iterator[V]:
        return iter(self._values)
