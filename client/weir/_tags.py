"""The tags of a run, as a set that tells somebody of every change."""

from collections.abc import Callable, Iterable, Iterator, MutableSet
from typing import Any, Self

from weir._config import Refuse
from weir._names import name_fault


class Tags(MutableSet[str]):
    """A set of texts: `add`, `discard`, `remove`, `in`, and `run.tags += ("baseline",)`."""

    def __init__(self, record: Callable[[str, bool], None], refuse: Refuse) -> None:
        self._tags: dict[str, None] = {}  # a dict keeps the order
        self._record = record
        self._refuse = refuse

    def __contains__(self, tag: object) -> bool:
        return tag in self._tags

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._tags))

    def __len__(self) -> int:
        return len(self._tags)

    def __repr__(self) -> str:
        return repr(tuple(self._tags))

    def __iadd__(self, tags: Iterable[str]) -> Self:
        """Add several: the way fingers trained on tuples do it."""
        self.update(tags)
        return self

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> set[Any]:
        return set(it)  # `tags | {"x"}` is a plain set: it belongs to no run

    def add(self, value: str) -> None:
        """Add a tag. One that is empty, too long or no text is refused as log() refuses a name."""
        if fault := name_fault(value):
            self._refuse(value, fault)
        elif value not in self._tags:
            self._tags[value] = None
            self._record(value, True)

    def discard(self, value: str) -> None:
        """Remove a tag if it is there."""
        if value in self._tags:
            del self._tags[value]
            self._record(value, False)

    def update(self, tags: Iterable[str]) -> None:
        """Add several tags; a lone text is one tag."""
        for tag in (tags,) if isinstance(tags, str) else tags:
            self.add(tag)

    def replace(self, tags: Iterable[str]) -> None:
        """Make these the only tags."""
        wanted = [tags] if isinstance(tags, str) else list(tags)
        for tag in set(self._tags) - set(wanted):
            self.discard(tag)
        self.update(wanted)
