"""What a mutation may send: Dagster stores a run before its tags, and what fails then leaves half a run behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from data_platform.catalog.model import WHOLE
from data_platform.errors import UsageError
from data_platform.orchestration.launches import PARTITION_TAGS
from data_platform.records import texts


def require_sound(arguments: Mapping[str, Any]) -> None:
    """See that the records can keep every text of a mutation's arguments, and that tags of partitions name some.

    Raises:
        UsageError: naming what can't be kept, or is no partition, which Dagster would read as a date.
    """
    for place, value in _within(arguments):
        if isinstance(value, str):
            texts.storable(value, place)
        elif value.get("key") in PARTITION_TAGS:
            _require_partition(value.get("value"))


def _require_partition(name: object) -> None:
    if not isinstance(name, str) or name in {"", WHOLE}:
        return
    if not (len(name) == len("2024") and name.isascii() and name.isdigit() and name > "0000"):
        raise UsageError(f"{texts.shown(name)} is no partition.", hint="Partitions are years, such as 2024.")


def _within(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str | Mapping[str, Any]]]:
    """Each text and each object, with its place; a name is a text too, such as one in a run's configuration."""
    waiting: list[tuple[str, object]] = [("", arguments)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, Mapping):
            known = cast("Mapping[str, Any]", value)
            yield place, known
            for name, each in known.items():
                yield f"A name in {place or 'what was sent'}", name
                waiting.append((f"{place}.{name}".lstrip("."), each))
        elif isinstance(value, Sequence):
            waiting += [(f"{place}.{index}", each) for index, each in enumerate(cast("Sequence[object]", value))]
