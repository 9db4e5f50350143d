"""How rows arrive: from WRDS, from Ken French's data library, or from the synthetic demo of both.

Here belongs everything between a source's own protocol and Arrow record batches in a table's declared schema: how to
reach the source, how to know whether it changed, how to read its format, and how its failures are told apart.
What happens to the rows afterwards (validation, storage, Dagster) does not belong here, and this room knows nothing
of it: a source is given a declaration from the catalog and yields batches.
"""

from __future__ import annotations

from data_platform.sources.base import Fingerprint, RowsOutOfOrder, Source, UnusableData
from data_platform.sources.opening import open_source

__all__ = ["Fingerprint", "RowsOutOfOrder", "Source", "UnusableData", "open_source"]
