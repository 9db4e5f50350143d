"""Where everything lies: the keys of the warehouse's objects, in one place."""

from __future__ import annotations

from typing import Final

BLOBS: Final = "blobs"
TABLES: Final = "tables"
DELTAS: Final = "deltas"
REBUILT: Final = "rebuilt"
DAMAGED: Final = "damaged"
SNAPSHOTS: Final = "snapshots"
PINS: Final = "pins"
TRASH: Final = "trash"
SOUND: Final = "sound"


def blob(sha256: str) -> str:
    """Content-addressed Parquet file."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}.parquet"


def delta(sha256: str) -> str:
    """What must be done to a later file to get back the rows of a dropped one, named by the dropped one's hash."""
    return f"{DELTAS}/{sha256[:2]}/{sha256}.parquet"


def rebuilt(sha256: str) -> str:
    """A dropped file's rows, put together again for reading; can be made anew at any time."""
    return f"{REBUILT}/{sha256[:2]}/{sha256}.parquet"


def rebuilt_note(sha256: str) -> str:
    """A note on the state in which a rebuilt file was last found right; its own time says when that was last used."""
    return f"{REBUILT}/{sha256[:2]}/{sha256}.sound"


def damage(sha256: str) -> str:
    """The mark that a published file is damaged and could not be mended."""
    return f"{DAMAGED}/{sha256}.json"


def sound(sha256: str) -> str:
    """A note on the state in which a published file was last hashed and found sound."""
    return f"{SOUND}/{sha256[:2]}/{sha256}"


def snapshot(tag: str) -> str:
    """The versions that a tag names."""
    return f"{SNAPSHOTS}/{tag}.json"


def pin(name: str) -> str:
    """The versions that a backtest used."""
    return f"{PINS}/{name}.json"


def versions(table: str) -> str:
    """Folder of a table's manifests."""
    return f"{TABLES}/{table}/versions"


def version(table: str, number: int) -> str:
    """One manifest. Eight digits sort as numbers do."""
    return f"{versions(table)}/{number:08d}.json"


def manifest_part(table: str, sha256: str) -> str:
    """The entries of one group of files, for a manifest that has too many for one document."""
    return f"{TABLES}/{table}/parts/{sha256}.json"


def latest_hint(table: str) -> str:
    """A number from which to start looking for the latest version; only a hint."""
    return f"{TABLES}/{table}/latest"


def schemas(table: str) -> str:
    """Folder of a table's registered schemas."""
    return f"{TABLES}/{table}/schema"


def schema(table: str, schema_version: str) -> str:
    """One registered schema, such as ``v1.2.0``."""
    return f"{schemas(table)}/v{schema_version}.json"
