"""Extracting as whoever keeps the rows does."""

from __future__ import annotations

import pyarrow as pa

from data_platform.catalog import Table
from data_platform.sources import RowsOutOfOrder
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.source import open_wrds


def extract(
    address: WrdsAddress, table: Table, partition: str = "all", block_bytes: int = 1 << 20
) -> list[pa.RecordBatch]:
    """All rows of a partition, from a session of their own; a source that found them out of order is asked again."""
    with open_wrds("wrds", address, block_bytes) as source:
        try:
            return list(source.extract(table, partition))
        except RowsOutOfOrder:
            return list(source.extract(table, partition))
