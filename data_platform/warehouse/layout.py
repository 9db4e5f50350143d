"""Where everything lies: the keys of the warehouse's objects, in one place."""

from __future__ import annotations


def blob(sha256: str) -> str:
    """Content-addressed Parquet file."""
    return f"blobs/{sha256[:2]}/{sha256}.parquet"


def versions(table: str) -> str:
    """Folder of a table's manifests."""
    return f"tables/{table}/versions"


def version(table: str, number: int) -> str:
    """One manifest. Eight digits sort as numbers do."""
    return f"{versions(table)}/{number:08d}.json"


def latest_hint(table: str) -> str:
    """A number from which to start looking for the latest version; only a hint."""
    return f"tables/{table}/latest"


def schemas(table: str) -> str:
    """Folder of a table's registered schemas."""
    return f"tables/{table}/schema"


def schema(table: str, schema_version: str) -> str:
    """One registered schema, such as ``v1.2.0``."""
    return f"{schemas(table)}/v{schema_version}.json"
