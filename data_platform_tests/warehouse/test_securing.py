"""Files of which no delta against a later file can be made: copied whole, or kept, and the next one has its turn."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.deltas.form import read_delta
from data_platform.warehouse.deltas.rebuild import rebuild
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.retention.applying import prepare
from data_platform.warehouse.retention.deciding import Expiring
from data_platform.warehouse.retention.securing import secure_delta
from data_platform_tests.warehouse.changing import COLUMNS, KEY, TABLE, publish_rows, wordy_rows, written
from data_platform_tests.warehouse.frames import publish


def _expiring(entries: list[FileEntry]) -> Expiring:
    return Expiring(table=TABLE, entry=entries[0], later=tuple(entries[1:]))


def _two_states(warehouse: Warehouse) -> list[FileEntry]:
    return [publish_rows(warehouse, seed).files[0] for seed in (1, 2)]


def _with_column(seed: int, kind: pa.DataType) -> pa.RecordBatch:
    usual = wordy_rows(seed)
    more = pa.array(np.arange(usual.num_rows)).cast(kind)
    return pa.record_batch([*usual.columns, more], schema=COLUMNS.append(pa.field("more", kind)))


@pytest.mark.parametrize("kind", [pa.decimal256(60, 4), pa.timestamp("us", tz="+05:30")])
def test_rows_with_a_column_that_cannot_be_compared_are_kept_in_a_whole_copy(
    warehouse: Warehouse, kind: pa.DataType
) -> None:
    states = [_with_column(seed, kind) for seed in (1, 2)]
    entries = [publish(warehouse, "t", "2024", state, schema=state.schema).files[0] for state in states]
    assert secure_delta(warehouse.store, _expiring(entries), KEY) == ""
    sha256 = entries[0].sha256
    assert read_delta(warehouse.store.path(layout.delta(sha256)), sha256).base_sha256 is None
    warehouse.store.delete(layout.blob(sha256))
    path = rebuild(warehouse.store, sha256)
    assert path is not None
    assert written(path) == [repr(row) for row in states[0].to_pylist()]


def _placed(warehouse: Warehouse, content: bytes) -> FileEntry:
    """A published file with any bytes, whose hash is right."""
    sha256 = hashlib.sha256(content).hexdigest()
    warehouse.store.put_if_absent(layout.blob(sha256), content)
    (known,) = publish_rows(warehouse, 9, table="another").files
    return known.model_copy(update={"sha256": sha256, "bytes": len(content)})


def _flat(kind: pa.DataType, value: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"k": [1], "x": pa.array([value], kind)}), sink)
    return sink.getvalue().to_pybytes()


def _spoilt_page() -> bytes:
    """Whole as a file, but with a page that cannot be decompressed; written so, not gone bad later."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"k": list(range(10_000))}), sink, compression="zstd", use_dictionary=False)
    data = bytearray(sink.getvalue().to_pybytes())
    frame = data.index(b"\x28\xb5\x2f\xfd")  # how zstd begins
    data[frame : frame + 4] = bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"no Parquet at all", "no delta could be made of it", id="not Parquet"),
        pytest.param(b"", "no delta could be made of it", id="empty"),
        pytest.param(_spoilt_page(), "no delta could be made of it", id="a page that cannot be read"),
        pytest.param(_flat(pa.list_(pa.int32()), [1]), "no content hash", id="a type without a content hash"),
        pytest.param(_flat(pa.int32(), 1), "no smaller", id="too small a file"),
    ],
)
def test_a_file_that_no_delta_can_stand_for_is_kept_and_the_next_has_its_turn(
    warehouse: Warehouse, content: bytes, reason: str
) -> None:
    unfit = _placed(warehouse, content)
    entries = _two_states(warehouse)
    files = [
        Expiring(table=TABLE, entry=unfit, later=tuple(entries)),
        _expiring(entries),
    ]
    problems = prepare(warehouse, files)
    assert reason in problems[unfit.sha256]
    assert problems[entries[0].sha256] == ""
    assert warehouse.store.exists(layout.blob(unfit.sha256))
    assert not warehouse.store.exists(layout.delta(unfit.sha256))
    assert list(warehouse.store.path(layout.DELTAS).rglob(".tmp-*")) == []
