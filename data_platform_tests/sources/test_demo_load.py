"""Loading the demo: into a real server, once, all or nothing, and readable by the reader only as data."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from data_platform.errors import ConfigurationError, DatabaseUnavailableError
from data_platform.records.databases import Databases, DemoServer
from data_platform.settings import Settings
from data_platform.sources.demo.crsp.dsf_v2 import COLUMN_TYPES
from data_platform.sources.demo.load import DemoSummary, load_demo
from data_platform.sources.demo.marker import demo_folder, demo_marker, library_folder
from data_platform.sources.demo.relations import RELATIONS
from data_platform.sources.demo.replacing import LoadProgress
from data_platform_tests.sources.conftest import DEMO, reader_session
from data_platform_tests.sources.test_demo_traps import TRAPS

OID = "SELECT 'crsp.dsf_v2'::regclass::oid"


def test_the_reader_finds_wrdss_relation_types_and_comment(server: DemoServer, demo: DemoSummary) -> None:
    with reader_session(server) as connection:
        kinds = connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'crsp.dsf_v2'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        comment = connection.execute("SELECT obj_description('crsp.dsf_v2'::regclass)").fetchone()
        count = connection.execute("SELECT count(*), count(DISTINCT permno) FROM crsp.dsf_v2").fetchone()

    assert [(name, kind.replace("character varying", "varchar")) for name, kind in kinds] == list(COLUMN_TYPES.items())
    assert comment is not None
    assert re.fullmatch(r"Last modified: \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", comment[0])
    assert count == (demo.marker.rows, demo.marker.securities)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM crsp.dsf_v2", "DROP TABLE crsp.dsf_v2", "CREATE TABLE crsp.mine (i int)"]
)
def test_the_reader_only_reads(server: DemoServer, demo: DemoSummary, statement: str) -> None:
    assert demo.marker.rows
    with reader_session(server) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL(statement))


def test_loading_the_same_demo_again_changes_nothing_and_is_quick(
    source_settings: Settings, source_databases: Databases, superuser: psycopg.Connection, demo: DemoSummary
) -> None:
    before = superuser.execute(OID).fetchone()

    again = load_demo(source_settings, source_databases, **DEMO)

    assert not again.loaded
    assert again.marker == demo.marker == demo_marker(source_settings)
    assert again.seconds < 1
    assert superuser.execute(OID).fetchone() == before


def test_lost_files_are_made_again_from_the_seed(
    source_settings: Settings, source_databases: Databases, superuser: psycopg.Connection, demo: DemoSummary
) -> None:
    folder = library_folder(source_settings)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    relation = superuser.execute(OID).fetchone()
    shutil.rmtree(demo_folder(source_settings))
    assert demo_marker(source_settings) is None

    again = load_demo(source_settings, source_databases, **DEMO)

    assert again.loaded
    assert again.marker == demo.marker
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert superuser.execute(OID).fetchone() == relation


def test_another_seed_replaces_the_demo_and_the_first_can_come_back(
    source_settings: Settings, source_databases: Databases, superuser: psycopg.Connection, demo: DemoSummary
) -> None:
    digest = "SELECT count(*), sum(hashtextextended(d::text, 0)::numeric) FROM crsp.dsf_v2 d"
    first = superuser.execute(digest).fetchone()
    try:
        heard: list[LoadProgress] = []
        other = load_demo(
            source_settings, source_databases, seed=8, years=(2022, 2023), securities=20, watch=heard.append
        )
        assert other.loaded
        assert [part.relation for part in heard if part.finished] == [relation.full_name for relation in RELATIONS]
        assert [part.rows for part in heard if part.relation == "crsp.dsf_v2"] == [0, *2 * [other.marker.rows]]
        assert demo_marker(source_settings) == other.marker != demo.marker
        assert superuser.execute("SELECT count(DISTINCT permno) FROM crsp.dsf_v2").fetchone() == (20,)
        # The smallest market has every trap.
        assert [trap for trap, query in TRAPS.items() if not superuser.execute(query).fetchall()] == []
    finally:
        back = load_demo(source_settings, source_databases, **DEMO)

    assert back.marker == demo.marker
    assert superuser.execute(digest).fetchone() == first


def test_a_load_that_fails_leaves_the_former_relations(
    source_settings: Settings, source_databases: Databases, superuser: psycopg.Connection, demo: DemoSummary
) -> None:
    before = superuser.execute(OID).fetchone()

    def fail(part: LoadProgress) -> None:
        if part.relation == "comp.funda" and part.rows:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        load_demo(source_settings, source_databases, seed=8, years=(2024, 2024), securities=20, watch=fail)

    assert demo_marker(source_settings) is None
    assert superuser.execute(OID).fetchone() == before
    assert superuser.execute("SELECT to_regnamespace('demo_loading')").fetchone() == (None,)
    assert load_demo(source_settings, source_databases, **DEMO).marker == demo.marker
    assert superuser.execute(OID).fetchone() == before


def test_the_users_own_server_is_not_loaded_with_synthetic_rows(
    source_settings: Settings, source_databases: Databases
) -> None:
    own = dataclasses.replace(source_databases, demo=None)

    with pytest.raises(ConfigurationError, match="DATA_PLATFORM_POSTGRES_URL"):
        load_demo(source_settings, own)


def test_a_server_that_is_away_is_a_clear_error(
    source_databases: Databases, server: DemoServer, tmp_path: Path
) -> None:
    away = dataclasses.replace(source_databases, demo=dataclasses.replace(server, socket_folder=tmp_path))

    with pytest.raises(DatabaseUnavailableError) as caught:
        load_demo(Settings(home=tmp_path, _env_file=None), away)

    assert server.owner_password not in str(caught.value)
    assert demo_marker(Settings(home=tmp_path, _env_file=None)) is None


def test_a_damaged_marker_is_said_to_be_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None)
    demo_folder(settings).mkdir()
    (demo_folder(settings) / "demo.json").write_text('{"seed": ')

    with pytest.raises(ConfigurationError, match="damaged"):
        demo_marker(settings)
