"""How one set of columns differs from another: what is new, gone or of another type. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pydantic import BaseModel, ConfigDict


class SchemaDrift(BaseModel):
    """What changed from one schema to the next; `changed` maps a column to its old and new type."""

    model_config = ConfigDict(frozen=True)

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[str, str]]

    @property
    def is_breaking(self) -> bool:
        """Whether readers of the old schema would break."""
        return bool(self.removed or self.changed)

    @property
    def has_additions(self) -> bool:
        """Whether there are columns that the old schema lacked."""
        return bool(self.added)

    def breaks(self) -> str:
        """What would break readers, in words."""
        parts = [f"{name} is gone" for name in self.removed]
        parts += [f"{name} was {old} and is {new}" for name, (old, new) in self.changed.items()]
        return ", ".join(parts)


def columns_of(schema: pa.Schema) -> dict[str, str]:
    """The names and types of an Arrow schema, in its order."""
    return dict(zip(schema.names, map(str, schema.types), strict=True))


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> SchemaDrift:
    """What changed between two sets of columns."""
    return SchemaDrift(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed={name: (old[name], new[name]) for name in old if name in new and old[name] != new[name]},
    )
