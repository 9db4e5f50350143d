"""Gates in a run's way: it waits there, in the middle of a stage, until the gate is opened or the run is killed.

Extract: the rows of the synthetic WRDS wait for an advisory lock, in COPY alone, which is how partitions are read.
Validate: recording the verdicts waits for one. Publish: the guard file of the table is taken, so that the file has its
final name and the version that names it can't be linked yet.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import Final

import psutil

from data_platform.catalog import TABLES, WrdsQuery
from data_platform.warehouse import layout
from data_platform_tests.orchestration.faults.served import Served, settled

_EXTRACT: Final = 7
_VALIDATE: Final = 8
_GATE: Final = """
CREATE FUNCTION {schema}.gate(stage int, number int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF stage = {validate} OR current_query() LIKE 'COPY%' THEN
    PERFORM pg_advisory_lock_shared(stage, number);
    PERFORM pg_advisory_unlock_shared(stage, number);
  END IF;
  RETURN true;
END $$
"""
_TRIGGER: Final = """
CREATE FUNCTION platform.wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM platform.gate(%d, hashtext(NEW.table_name));
  RETURN NEW;
END $$;
CREATE TRIGGER wait_at_gate BEFORE INSERT ON platform.data_validation_results
  FOR EACH ROW EXECUTE FUNCTION platform.wait_at_gate()
"""
_WAITING: Final = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s "
    "AND objid::bigint = hashtext(%s)::bigint & 4294967295 AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Gates:
    """The gates of one home; all are open at first."""

    def __init__(self, served: Served) -> None:
        self._served = served
        for database, schema in (("wrds", "crsp"), ("platform", "platform")):
            served.execute(database, _GATE.format(schema=schema, validate=_VALIDATE))
        served.execute("platform", _TRIGGER % _VALIDATE)
        for table in TABLES.values():
            if isinstance(table.origin, WrdsQuery) and table.origin.relation.startswith("crsp.stk"):
                self._build(table.origin.relation, table.name)
        self._build("crsp.dsf_v2", "crsp_daily")

    def _build(self, relation: str, table: str) -> None:
        self._served.execute("wrds", f"ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY")
        self._served.execute(
            "wrds", f"CREATE POLICY gate ON {relation} USING (crsp.gate({_EXTRACT}, hashtext('{table}')))"
        )

    @contextmanager
    def extract(self, table: str) -> Iterator[None]:
        """Closed for the block: a run of the table that extracts waits."""
        with self._closed("wrds", _EXTRACT, table):
            yield

    @contextmanager
    def validate(self, table: str) -> Iterator[None]:
        """Closed for the block: a run of the table that records its verdicts waits."""
        with self._closed("platform", _VALIDATE, table):
            yield

    @contextmanager
    def publish(self, table: str) -> Iterator[None]:
        """Closed for the block, which must begin when the run waits elsewhere with the lock in hand."""
        guard = self._served.warehouse.store.root / "locks" / f"{table}.guard"
        descriptor = os.open(guard, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _closed(self, database: str, stage: int, table: str) -> Iterator[None]:
        with closing(self._served.connect(database)) as connection:
            connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (stage, table))
            yield

    def waits_in_extract(self, table: str) -> bool:
        """Whether a run of the table stands at the gate."""
        return bool(self._served.execute("wrds", _WAITING, _EXTRACT, table))

    def waits_in_validate(self, table: str) -> bool:
        """Whether a run of the table stands at the gate."""
        return bool(self._served.execute("platform", _WAITING, _VALIDATE, table))

    def blobs(self) -> int:
        """How many files have their final name; one more, and a run stands at the gate of publishing."""
        return len(list((self._served.warehouse.store.root / layout.BLOBS).glob("*/*.parquet")))


@contextmanager
def _still(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


@contextmanager
def stuck(served: Served, gates: Gates, stages: Mapping[str, str], partition: str = "2024") -> Iterator[dict[str, str]]:
    """Runs that stand in the middle of a stage each: `stages` and the ids are by table. At the end the gates open."""
    with ExitStack() as stack:
        extract = {table: stack.enter_context(ExitStack()) for table in stages}
        for table, stage in stages.items():
            extract[table].enter_context(gates.extract(table))
            if stage == "validate":
                stack.enter_context(gates.validate(table))
        runs = {table: served.sync(table, partition if table == "crsp_daily" else None) for table in stages}
        for table, stage in stages.items():
            settled(f"no run of {table} extracts", partial(gates.waits_in_extract, table))
            before = gates.blobs()
            if stage == "publish":
                stack.enter_context(gates.publish(table))
            if stage != "extract":
                extract[table].close()
            if stage == "validate":
                settled(f"no run of {table} is being validated", partial(gates.waits_in_validate, table))
                # The records give up a statement that waits; stopped here, the run does not hear of it.
                stack.enter_context(_still(served.writer(table)))
            if stage == "publish":
                settled(f"no run of {table} publishes", lambda before=before: gates.blobs() > before)
        yield runs
