"""How rows are kept: immutable blobs, versions that name them, the lock, staging, quarantine and reading.

A table's version is a manifest; a manifest lists files by SHA-256; a published file is never changed or moved. The
exclusive creation of a manifest is the commit. Everything that must survive a crash is decided in this room. What
old versions give way to lies in `deltas`, what is let go in `retention`, what changed in `diff`, what is kept
elsewhere in `backup`.
Postgres, Dagster, where rows come from and whether they are right do not belong here.
"""

from data_platform.warehouse.manifest import FileCheck, FileEntry, SyncManifest
from data_platform.warehouse.reader import PinnedVersion, Reader
from data_platform.warehouse.staging import StagedFile
from data_platform.warehouse.warehouse import Warehouse

__all__ = ["FileCheck", "FileEntry", "PinnedVersion", "Reader", "StagedFile", "SyncManifest", "Warehouse"]
