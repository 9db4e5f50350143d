"""Dry runs, parameters, reference datasets and the schema view."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from data_platform.catalog import DATASETS
from data_platform.errors import ConfigurationError, NotPermittedError, RateLimitedError, UsageError
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.audited_text import statement_of
from data_platform.governance.engine.parameters import Parameters, decode
from data_platform.governance.permissions import Role, User
from data_platform.records import partition_statistics
from data_platform.records.partition_statistics import PartitionStatistics
from data_platform_tests.governance.explorer.conftest import SYSTEM, World

JOIN = (
    "SELECT count(*) AS n, sum(c.ret - f.rf) AS s FROM crsp_daily c JOIN ff_factors_daily f USING (date) "
    "WHERE permno = 10001"
)


def test_a_dry_run_says_what_would_be_read_and_reads_nothing(world: World) -> None:
    ann = world.person("ann")
    sql = "SELECT permno, avg(ret) AS mean FROM crsp_daily WHERE date >= $since GROUP BY permno"
    plan = world.service.dry_run(ann, "crsp", sql, parameters={"since": dt.date(2020, 1, 1)})
    assert [(each.name, each.type) for each in plan.columns] == [("permno", "INTEGER"), ("mean", "DOUBLE")]
    pinned = world.warehouse.reader("crsp_daily").pin()
    assert plan.versions == {"crsp_daily": pinned.version}
    assert plan.estimated_bytes == sum(file.bytes for file in pinned.manifest.files)
    assert plan.estimated_rows is None or plan.estimated_rows > 0
    assert "crsp_daily" in plan.canonical_sql
    assert plan.remaining_queries == 999
    attempt, outcome = world.audited("ann")
    assert (attempt.kind, outcome.kind, outcome.result, outcome.row_count) == ("dry_run", "dry_run", "success", 0)
    assert world.requests("ann") == []
    nothing = world.service.dry_run(ann, "crsp", "SELECT 1 AS one")
    assert (nothing.versions, nothing.estimated_bytes) == ({}, 0)


def test_a_dry_run_is_no_free_oracle(world: World) -> None:
    ben = world.person("ben")
    few = world.with_settings(queries_per_minute=2)
    for sql in ("SELECT * FROM ff_factors_daily", "SELECT * FROM nothing_of_that_name"):
        with pytest.raises(UsageError, match="not found or not permitted"):
            few.dry_run(ben, "crsp", sql)
    with pytest.raises(RateLimitedError):
        few.dry_run(ben, "crsp", "SELECT 1")
    vic = world.person("vic", Role.VIEWER)
    with pytest.raises(NotPermittedError, match="query:data"):
        world.service.dry_run(vic, "crsp", "SELECT 1")
    assert [(row.kind, row.result) for row in world.audited("vic")] == [("dry_run", "denied")]


@pytest.mark.parametrize(
    ("sql", "parameters", "answer"),
    [
        ("SELECT count(*) FROM crsp_daily WHERE permno = ? AND date < ?", [10001, dt.date(2021, 1, 1)], 100),
        ("SELECT count(*) FROM crsp_daily WHERE ticker = $t", {"t": "T10002"}, 150),
        ("SELECT count(*) FROM crsp_daily WHERE ticker = $t", {"t": "' OR 1=1 --"}, 0),
        ("SELECT $a::DECIMAL(10, 2) + $b", {"a": Decimal("1.25"), "b": 2}, Decimal("3.25")),
        ("SELECT coalesce(?, 'none')", [None], "none"),
    ],
)
def test_parameters_are_bound_and_audited_with_the_text(
    world: World, sql: str, parameters: Parameters, answer: object
) -> None:
    name = f"p{abs(hash(repr(parameters))) % 10**9}"
    cat = world.person(name)
    result = world.service.execute_query(cat, "crsp", sql, parameters=parameters)
    assert result.table.column(0)[0].as_py() == answer
    attempt, _ = world.audited(name)
    assert attempt.query_text is not None
    text, encoded = statement_of(open_cipher(world.settings).decrypt(attempt.query_text))
    assert text == sql
    given = parameters if isinstance(parameters, dict) else {str(n): v for n, v in enumerate(parameters or [], 1)}
    assert decode(encoded) == given


def test_a_parameter_that_does_not_fit_is_named(world: World) -> None:
    dan = world.person("dan")
    with pytest.raises(UsageError, match=r"\$x"):
        world.service.execute_query(dan, "crsp", "SELECT $x", parameters={"y": 1})
    with pytest.raises(UsageError, match=r"\$x.*can't be bound"):
        world.service.execute_query(dan, "crsp", "SELECT $x", parameters={"x": [1]})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match=r"\$1"):
        world.service.submit_query(dan, "crsp", "SELECT ?", parameters=[object()])  # type: ignore[list-item]


def test_a_reference_dataset_joins_for_those_who_may_see_both(world: World) -> None:
    eve = world.person("eve")
    joined = world.with_settings(reference_datasets=frozenset({"fama_french"}))
    result = joined.execute_query(eve, "crsp", JOIN)
    factors = world.warehouse.reader("ff_factors_daily").pin().version
    prices = world.warehouse.reader("crsp_daily").pin().version
    assert result.dto.versions == {"crsp_daily": prices, "ff_factors_daily": factors}
    assert result.table["n"][0].as_py() == 30
    attempt, outcome = world.audited("eve")
    assert attempt.manifest_versions == outcome.manifest_versions == result.dto.versions
    assert joined.describe_dataset(eve, "crsp").references == ["fama_french"]
    alone = joined.execute_query(eve, "crsp", "SELECT count(*) FROM crsp_daily", as_of=1)
    assert alone.dto.versions == {"crsp_daily": 1}
    assert world.audited("eve")[-1].manifest_versions == {"crsp_daily": 1}
    plan = joined.dry_run(eve, "crsp", JOIN)
    assert set(plan.versions) == {"crsp_daily", "ff_factors_daily"}


def test_without_the_permission_a_reference_is_not_there(world: World) -> None:
    flo = world.person("flo")
    joined = world.with_settings(reference_datasets=frozenset({"fama_french"}))
    revoked = User("flo", Role.ANALYST, revocations=frozenset({"dataset:fama_french"}))
    answers = set[str]()
    for service, user in ((world.service, flo), (joined, revoked)):
        with pytest.raises(UsageError, match="not found or not permitted") as caught:
            service.execute_query(user, "crsp", JOIN)
        answers.add(str(caught.value))
    assert len(answers) == 1
    assert joined.describe_dataset(revoked, "crsp").references == []
    # It opens nothing in the other direction: a public dataset does not reach a licensed one.
    with pytest.raises(UsageError, match="not found or not permitted"):
        joined.execute_query(flo, "fama_french", "SELECT * FROM crsp_daily")
    page = joined.execute_query(flo, "crsp", "SELECT * FROM crsp_daily, ff_factors_daily", page_size=10)
    recursive = (
        "WITH RECURSIVE ff_factors_daily AS (FROM ff_factors_daily UNION FROM ff_factors_daily) FROM ff_factors_daily"
    )
    hidden = joined.execute_query(flo, "crsp", recursive, page_size=10)
    assert set(hidden.dto.versions) == {"ff_factors_daily"}
    for cursor in (page.dto.cursor, hidden.dto.cursor):
        with pytest.raises(NotPermittedError, match="Access to fama_french"):
            joined.next_page(revoked, str(cursor))
        denied = world.audited("flo")[-1]
        assert (denied.result, denied.dataset) == ("denied", "fama_french")


def test_a_reference_that_the_catalog_does_not_have_is_an_error_of_the_setting(world: World) -> None:
    gus = world.person("gus")
    wrong = world.with_settings(reference_datasets=frozenset({"fama_frnch"}))
    with pytest.raises(ConfigurationError, match="DATA_PLATFORM_REFERENCE_DATASETS"):
        wrong.execute_query(gus, "crsp", "SELECT 1")


def test_the_schema_view_has_units_and_shares_of_missing_values(world: World) -> None:
    hal = world.person("hal")
    manifest = world.warehouse.reader("crsp_daily").pin().manifest
    with world.records.transaction(SYSTEM) as connection:
        for file, share in zip(manifest.files, (0.5, 0.0), strict=True):
            version, shares = manifest.manifest_version, {"ret": share}
            partition_statistics.store(
                connection,
                PartitionStatistics("crsp", "crsp_daily", file.partition, version, file.source, file.rows, shares, {}),
            )
    schema = world.service.describe_dataset(hal, "crsp")
    assert (schema.name, schema.licence) == ("crsp", DATASETS["crsp"].licence)
    tables = {table.name: table for table in schema.tables}
    daily = tables["crsp_daily"]
    assert (daily.manifest_version, daily.row_count) == (manifest.manifest_version, 750)
    columns = {column.name: column for column in daily.columns}
    assert columns["ret"].null_share == pytest.approx(0.5 * 500 / 750)
    assert (columns["ret"].type, columns["ret"].unit) == ("float64", "decimal")
    assert columns["ret"].description
    assert columns["permno"].null_share is None
    assert [t.manifest_version for name, t in tables.items() if name != "crsp_daily"] == [None] * (len(tables) - 1)
    with pytest.raises(NotPermittedError, match="Access to compustat requires dataset:compustat"):
        world.service.describe_dataset(hal, "compustat")
    with pytest.raises(UsageError, match="Unknown dataset"):
        world.service.describe_dataset(hal, "nope")
