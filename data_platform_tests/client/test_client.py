"""The client against the real server: rows keep their types, errors are ours, and a token goes nowhere it may not."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from typing_extensions import override

from data_platform.client import connect
from data_platform.client.connection import Client
from data_platform.client.sent import Parameters
from data_platform.client.wire import KINDS, document, error_of
from data_platform.errors import (
    ChecksumMismatchError,
    ConfigurationError,
    NotFoundError,
    NotPermittedError,
    PlatformError,
    QueryTimeoutError,
    RateLimitedError,
    UsageError,
)
from data_platform_tests.orchestration.api.served import ROWS, Served
from data_platform_tests.records.processes import eventually

SQL = "SELECT permno, date, prc, vol FROM crsp_daily ORDER BY permno, date"
ENDLESS = "SELECT count(*) FROM range(1000000000000) a, range(1000000) b"


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client("operator") as opened:
        yield opened


def test_a_result_of_several_pages_is_one_table_with_its_types(client: Client) -> None:
    result = client.query(SQL, dataset="crsp", page_size=150)
    assert [page.num_rows for page in result.pages()] == [150, 150, 150, 50]
    table = result.arrow()
    assert (table.num_rows, len(result), result.versions) == (ROWS, ROWS, {"crsp_daily": 1})
    assert table.schema.field("date").type == pa.date32()
    assert result.polars().schema == {"permno": pl.Int32, "date": pl.Date, "prc": pl.Float64, "vol": pl.Float64}
    assert list(result.pandas().columns) == ["permno", "date", "prc", "vol"]
    assert result.rows[0] == {"permno": 10001, "date": dt.date(2020, 1, 2), "prc": 10.0, "vol": 0.0}


@pytest.mark.parametrize("date", ["'infinity'::DATE", "DATE '12000-01-01'", "'-infinity'::TIMESTAMP"])
def test_a_date_without_a_value_in_python_is_one_clear_error_and_there_as_arrow(client: Client, date: str) -> None:
    result = client.query(f"SELECT {date} AS d", dataset="crsp")
    assert result.polars().shape == (1, 1)
    with pytest.raises(UsageError, match="no value for") as caught:
        _ = result.rows
    assert "CAST" in str(caught.value)


@pytest.mark.parametrize("value", ["'infinity'::DATE", "TIME '24:00'", "'24:00'::TIME_NS", "[DATE '12000-01-01']"])
def test_what_neither_python_nor_pandas_has_a_value_for_is_no_traceback_and_no_other_value(
    client: Client, value: str
) -> None:
    result = client.query(f"SELECT {value} AS d, TIME '23:59:59.999999' AS t, NULL::TIME AS n", dataset="crsp")
    with pytest.raises(UsageError, match="no value for"):
        result.pandas()
    with pytest.raises(UsageError, match="no value for"):
        _ = result.rows


def test_columns_of_one_name_are_all_there(client: Client) -> None:
    result = client.query("SELECT 1 AS a, 2 AS a, TIME '12:00' AS t", dataset="crsp")
    assert result.rows == [{"a": 1, "a_2": 2, "t": dt.time(12)}]
    assert result.polars().columns == ["a", "a_2", "t"]


def test_parameters_keep_their_types_too(client: Client) -> None:
    asked = client.query(
        "SELECT typeof(?) AS a, typeof(?) AS b, typeof(?) AS c, ? AS d, ? AS e",
        dataset="crsp",
        parameters=[dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3), Decimal("1.50"), None, "x'; --"],
    )
    (row,) = asked.rows
    assert (row["a"], row["b"], row["d"], row["e"]) == ("DATE", "TIMESTAMP", None, "x'; --")
    assert row["c"].startswith("DECIMAL")
    named = client.query("SELECT $n + 1 AS n", dataset="crsp", as_of=1, parameters={"n": 41})
    assert named.rows == [{"n": 42}]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"day": object()}, r"The parameter \$day is of a type that can't be sent \(object\)"),
        ([1, {"a": 1}], r"The parameter \$2 is of a type that can't be sent \(dict\)"),
        ([float("nan")], r"The parameter \$1 is no finite number"),
        ("abc", "must be a list of values"),
        (5, "must be a list of values"),
    ],
    ids=["object", "dict", "nan", "text", "number"],
)
def test_a_parameter_that_can_not_be_sent_is_named(parameters: Parameters, said: str) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UsageError, match=said):
        client.query("SELECT $day", dataset="crsp", parameters=parameters)


def test_what_else_can_not_be_sent_is_a_clear_error() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UsageError, match="can't be sent"):
        client.change_schedule("crsp", "crsp_daily", 1, reason=object())


def test_a_connection_that_is_closed_says_so(served: Served, tmp_path: Path) -> None:
    with served.client("operator") as client:
        result = client.query(SQL, dataset="crsp", page_size=400)
    for ask in (
        client.datasets,
        result.arrow,
        lambda: client.submit(SQL, dataset="crsp"),
        lambda: client.download("some", tmp_path / "rows.csv"),
    ):
        with pytest.raises(UsageError, match="This connection is closed"):
            ask()


def test_a_part_of_a_result_is_never_given_for_the_whole(client: Client) -> None:
    result = client.query("SELECT a.permno FROM crsp_daily a, crsp_daily b", dataset="crsp")
    with pytest.raises(UsageError, match="100,000 can be had"):
        result.arrow()
    assert sum(page.num_rows for page in result.pages()) == 100_000


def test_an_export_is_whole_and_what_its_manifest_says(client: Client, tmp_path: Path) -> None:
    manifest = client.export(SQL, tmp_path / "rows.csv", dataset="crsp")
    assert (manifest["row_count"], manifest["sql"], manifest["user"]) == (ROWS, SQL, "operator")
    assert pa_csv.read_csv(tmp_path / "rows.csv").num_rows == ROWS
    assert (tmp_path / "rows.csv").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]
    with pytest.raises(UsageError, match="neither given"):
        client.export(SQL, tmp_path / "rows", dataset="crsp")


def test_a_place_that_can_not_be_written_costs_no_export(client: Client, tmp_path: Path) -> None:
    before = client.quota()
    (tmp_path / "folder.csv").mkdir()
    for place in (tmp_path / "none" / "rows.csv", tmp_path / "folder.csv", tmp_path / ("x" * 300 + ".csv")):
        with pytest.raises(UsageError, match="can't be written"):
            client.export(SQL, place, dataset="crsp")
    fifo = tmp_path / "pipe.csv"
    os.mkfifo(fifo)
    for place in (fifo, tmp_path / "a\0.csv"):
        with pytest.raises(UsageError, match="can't be written"):
            client.export(SQL, place, dataset="crsp")
    assert fifo.is_fifo()
    fifo.unlink()
    assert client.quota() == before
    with pytest.raises(UsageError):
        client.export("SELECT nothing FROM crsp_daily", tmp_path / "rows.csv", dataset="crsp")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.csv"]


def test_what_was_submitted_can_be_looked_after_and_cancelled(client: Client) -> None:
    begun = client.submit(SQL, dataset="crsp")
    assert eventually(lambda: client.status(begun["id"])["state"] == "done")
    assert len(client.result(begun["id"])) == ROWS
    assert begun["id"] in {each["id"] for each in client.history()}
    endless = client.submit(ENDLESS, dataset="crsp")
    client.cancel(endless["id"])
    assert eventually(lambda: client.status(endless["id"])["state"] == "cancelled")
    assert client.dry_run(SQL, dataset="crsp")["columns"][0]["name"] == "permno"


def test_everything_else_can_be_asked(client: Client) -> None:
    assert {each["name"] for each in client.datasets()} == {"compustat", "crsp", "fama_french"}
    assert client.describe("crsp")["name"] == "crsp"
    assert len(client.preview("crsp", 3)["rows"]) == 3
    assert {each["table"] for each in client.sync_status()} >= {"crsp_daily"}
    assert client.quota()["exports_per_hour"] == 10_000
    assert client.trends("crsp")["dataset"] == "crsp"
    for listed in (
        client.coverage("crsp"),
        client.quality("crsp"),
        client.alerts(acknowledged=False),
        client.alert_groups(),
        client.conditions(),
        client.logs(),
        client.schedules(),
    ):
        assert isinstance(listed, list)


def test_errors_are_those_of_the_services(served: Served, client: Client) -> None:
    with served.client("viewer") as viewer, pytest.raises(NotPermittedError, match="dataset:crsp") as refused:
        viewer.query(SQL, dataset="crsp")
    assert refused.value.exit_code == 3
    with pytest.raises(UsageError, match=r"line 1, column 8"):
        client.query("SELECT nothing FROM crsp_daily", dataset="crsp")
    with pytest.raises(QueryTimeoutError) as late:
        client.query("SELECT count(*) FROM range(1000000000000) a, range(1000000) b", dataset="crsp", timeout_seconds=1)
    assert late.value.exit_code == 5
    with pytest.raises(NotFoundError):
        client.describe("nothing")
    for name in ("..", "../sync/status", "a/b"):
        with pytest.raises(UsageError):
            client.describe(name)
    with Client(served.url, "dp_wrong") as stranger, pytest.raises(NotPermittedError, match="unknown"):
        stranger.datasets()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_arrives_as_it_left(kind: str) -> None:
    form = KINDS[kind]
    error = RateLimitedError("a", retry_after_seconds=7) if form is RateLimitedError else form("a", hint="b")
    arrived = error_of(json.loads(json.dumps(document(error))))
    assert type(arrived) is form
    assert (arrived.message, arrived.hint, arrived.exit_code) == (error.message, error.hint, error.exit_code)


@pytest.mark.parametrize("url", ["http://data.example.org", "http://10.0.0.1:3000", "http://localhost.example.org"])
def test_a_token_is_not_sent_unencrypted_to_another_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        connect(url, "dp_secret")


@pytest.mark.parametrize(
    "url",
    ["", "data.example.org", "ftp://x", "https://", "https://me:pw@x", "https://x:y", "http://[1", "https://x..y"],
)
def test_an_address_that_is_none_is_one_clear_error(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        connect(url or None, "dp_secret")
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/", "//api/v1//"])
def test_the_address_may_be_that_of_the_interface(served: Served, path: str) -> None:
    with Client(f"{served.url}{path}", served.world.tokens["viewer"]) as client:
        assert [each["name"] for each in client.datasets()] == ["fama_french"]


def test_a_path_before_that_of_the_interface_stays() -> None:
    for path in ("/data", "/data/", "/data/api/v1"):
        with answering((200, {}, b"[]")) as (url, asked), Client(f"{url}{path}") as client:
            assert client.datasets() == []
        assert asked == ["GET /data/api/v1/datasets"]


@pytest.mark.parametrize("token", ["dp_é", "dp_a\nb"])
def test_a_token_that_is_none_is_one_clear_error(token: str) -> None:
    with pytest.raises(ConfigurationError, match="is no token") as refused:
        connect("http://127.0.0.1:9", token)
    assert "dp_a" not in str(refused.value)


def test_without_a_token_and_with_a_wrong_one_the_hint_is_the_same(served: Served) -> None:
    hints: list[str | None] = []
    for token in (None, "dp_wrong"):
        with Client(served.url, token) as stranger, pytest.raises(NotPermittedError) as refused:
            stranger.datasets()
        hints.append(refused.value.hint)
    assert hints[0] == hints[1]
    assert "DATA_PLATFORM_TOKEN" in str(hints[0])


def test_the_environment_says_where_and_who(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PLATFORM_URL", served.url)
    monkeypatch.setenv("DATA_PLATFORM_TOKEN", served.world.tokens["viewer"])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with connect() as client:
        assert [each["name"] for each in client.datasets()] == ["fama_french"]


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes] | None) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, the last one for ever; None closes the connection."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            found = answers[min(len(asked), len(answers) - 1)]
            asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if found is None:
                self.close_connection = True
                return
            self.send_response(found[0])
            for name, value in {**found[1], "Content-Length": str(len(found[2]))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found[2])

        do_GET = do_POST = _answer  # noqa: N815 - as http.server calls them

        @override
        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_a_read_is_tried_again_when_the_line_broke_and_a_change_never_is() -> None:
    with answering(None, None, (200, {}, b"[]")) as (url, asked), Client(url) as client:
        assert client.datasets() == []
        assert len(asked) == 3
    with answering(None) as (url, asked), Client(url) as client:
        with pytest.raises(PlatformError, match="does not answer") as away:
            client.trigger_sync("crsp", "crsp_daily", "why")
        assert (len(asked), away.value.exit_code) == (1, 1)
        with pytest.raises(PlatformError, match="does not answer"):
            client.preview("crsp")
        assert len(asked) == 2


def test_an_answer_of_somebody_else_is_a_clear_error(tmp_path: Path) -> None:
    for status, form in ((502, PlatformError), (401, NotPermittedError), (404, NotFoundError), (429, RateLimitedError)):
        with answering((status, {}, b"<html>")) as (url, _), Client(url) as client, pytest.raises(form):
            client.datasets()
    strangers: list[tuple[int, dict[str, str], bytes]] = [
        (200, {}, b"<html>"),
        (200, {"Content-Type": "text/html"}, b"<html>"),
        (200, {}, b'"text"'),
        (500, {}, b""),
        (501, {}, b"<html>"),
    ]
    for answer in strangers:
        with answering(answer) as (url, _), Client(url) as client:
            asked: list[Callable[[], object]] = [
                client.sync_status,
                partial(client.follow, "x"),
                partial(client.query, SQL, dataset="crsp"),
                partial(client.dry_run, SQL, dataset="crsp"),
                partial(client.download, "some", tmp_path / "rows.csv"),
            ]
            for ask in asked:
                with pytest.raises(UsageError, match=r"no answer of data-platform. Is DATA_PLATFORM_URL right\?$"):
                    ask()
    assert list(tmp_path.iterdir()) == []


def test_a_token_goes_to_no_address_that_a_server_redirects_to() -> None:
    moved = (302, {"Location": "http://127.0.0.1:9/elsewhere"}, b"")
    with answering(moved) as (url, asked), Client(url, "dp_x") as client, pytest.raises(UsageError, match="302"):
        client.datasets()
    assert asked == ["GET /api/v1/datasets"]


def test_why_a_server_does_not_answer_is_said_in_words() -> None:
    with answering((200, {}, b"[]")) as (url, _):
        causes = {
            "http://127.0.0.1:9": r"127.0.0.1:9 does not answer \(Connection refused\)\.",
            url.replace("http:", "https:"): r"does not answer \(no encrypted connection: [a-z ]+\)\.",
        }
        for address, said in causes.items():
            with Client(address) as client, pytest.raises(PlatformError, match=said):
                client.preview("crsp")


def test_a_download_that_is_not_what_was_exported_leaves_nothing(tmp_path: Path) -> None:
    manifest = json.dumps({"sha256": "0" * 64}).encode()
    other = answering((200, {}, manifest), (200, {}, b"other bytes"))
    with other as (url, _), Client(url) as client, pytest.raises(ChecksumMismatchError):
        client.download("some", tmp_path / "rows.csv")
    assert list(tmp_path.iterdir()) == []
