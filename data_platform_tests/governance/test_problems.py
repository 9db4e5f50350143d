"""Engine errors as callers see them: kind, words, place, and never a path or a stored value."""

from __future__ import annotations

import json

import pytest

from data_platform.governance.engine.positions import locate_directly, match_positions
from data_platform.governance.engine.problems import (
    ProblemKind,
    QueryProblem,
    Statement,
    explain,
    line_and_column,
    not_a_query,
    parse_failure,
    unknown_table,
)

SQL = "SELECT 'café',\n       nocol\nFROM crsp_daily"
STATEMENT = Statement("crsp", ("crsp_daily",), locate_directly(SQL))


def raw(error_class: str, message: str, **fields: str) -> str:
    """A message as DuckDB writes it with errors_as_json."""
    return f"{error_class} Error: " + json.dumps(
        {"exception_type": error_class, "exception_message": message, **fields}
    )


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (
            raw("Parser", 'syntax error at or near "fro"', position="23"),
            ProblemKind.SYNTAX_ERROR,
            'Syntax error at or near "fro" (line 2, column 8).',
        ),
        (
            raw("Parser", "syntax error at or near \"'/srv/secret.parquet'\""),
            ProblemKind.SYNTAX_ERROR,
            "Syntax error.",
        ),
        (
            raw("Parser", "unterminated string literal", position="7"),
            ProblemKind.SYNTAX_ERROR,
            "Syntax error: a quote or comment is not closed (line 1, column 8).",
        ),
        (
            raw(
                "Catalog",
                'Table with name nope does not exist!\nDid you mean "compustat_funda"?',
                type="Table",
                name="nope",
                candidates="compustat_funda",
            ),
            ProblemKind.CROSS_DATASET,
            "Table nope not found or not permitted in dataset crsp.",
        ),
        (
            raw("Catalog", "Scalar Function with name f does not exist!", type="Scalar Function", name="f"),
            ProblemKind.BLOCKED_FUNCTION,
            'Function "f" is unknown or not permitted.',
        ),
        (
            raw("Catalog", "Type with name t does not exist!", type="Type", name="t"),
            ProblemKind.UNKNOWN_NAME,
            'Type "t" does not exist.',
        ),
        (
            raw(
                "Binder",
                'Referenced column "nocol" not found in FROM clause!',
                name="nocol",
                candidates="vol,prc",
                error_subtype="COLUMN_NOT_FOUND",
                position="23",
            ),
            ProblemKind.UNKNOWN_NAME,
            'Column "nocol" not found (line 2, column 8).',
        ),
        (
            raw("Binder", "No function matches 'sum(VARCHAR)'. You might cast.\n\tCandidate functions:\n\tsum(x)"),
            ProblemKind.BINDING,
            "No function matches 'sum(VARCHAR)'. You might cast.",
        ),
        (
            raw("Binder", 'cannot read "/srv/blobs/ab/abcd.parquet" here'),
            ProblemKind.BINDING,
            "Cannot read ... here.",
        ),
        (
            raw("Permission", 'Cannot access file "/etc/passwd" - disabled by configuration'),
            ProblemKind.FILE_ACCESS,
            "Reading files is not permitted.",
        ),
        (
            raw("Conversion", "Could not convert string 'T10001' to INT32", position="7"),
            ProblemKind.VALUE,
            "A value could not be converted to the type asked for (line 1, column 8).",
        ),
        (raw("Out of Range", "Overflow in 4711 + 1"), ProblemKind.VALUE, "A value is out of range."),
        (
            raw("Invalid Input", "cannot take logarithm of -0.04711"),
            ProblemKind.VALUE,
            "A function was given a value that it cannot work with.",
        ),
        (
            raw("IO", 'No such file "/srv/blobs/ab/abcd.parquet"'),
            ProblemKind.STORAGE,
            "The stored data could not be read.",
        ),
        (raw("Out of Memory", "..."), ProblemKind.MEMORY, "The query needed more memory than it may use."),
        ("std::bad_alloc", ProblemKind.MEMORY, "The query needed more memory than it may use."),
        ("INTERRUPT Error: Interrupted!", ProblemKind.TIMEOUT, "The query ran into its time limit."),
        ("Conversion Error: Could not convert string 'T10001'", ProblemKind.VALUE, None),
        ("INTERNAL Error: row 4711 of /srv/x", ProblemKind.INTERNAL, "The query could not be run."),
        ("4711 T10001", ProblemKind.INTERNAL, "The query could not be run."),
        ("Binder Error: {broken", ProblemKind.BINDING, "The query is not valid."),
    ],
)
def test_engine_messages(message: str, kind: ProblemKind, text: str | None) -> None:
    problem = explain(message, STATEMENT, data_was_read=False)
    assert problem.kind is kind
    assert text is None or str(problem) == text
    for secret in ("T10001", "4711", "/srv", "passwd", "compustat"):
        assert secret not in f"{problem} {problem.hint}"


@pytest.mark.parametrize(
    "error_class", ["Binder", "Catalog", "Parser", "Constraint", "Serialization", "TransactionContext"]
)
def test_once_rows_are_read_no_text_of_the_engine_is_passed_on(error_class: str) -> None:
    problem = explain(raw(error_class, "T10001 has 4711", name="T10001"), STATEMENT, data_was_read=True)
    assert str(problem) == "The query could not be run."
    assert problem.hint is None


@pytest.mark.parametrize(
    ("name", "qualifier", "text"),
    [
        ("nope", (), "Table nope not found or not permitted in dataset crsp."),
        ("views", ("system", "main"), "Table system.main.views not found or not permitted in dataset crsp."),
        ("/etc/passwd", (), "Reading files is not permitted."),
        ("data.parquet", (), "Reading files is not permitted."),
        ("https://x.org/a", (), "Reading files is not permitted."),
        ("a b", (), "Table not found or not permitted in dataset crsp."),
        ("x" * 65, (), "Table not found or not permitted in dataset crsp."),
    ],
)
def test_names_that_are_no_permitted_table(name: str, qualifier: tuple[str, ...], text: str) -> None:
    problem = unknown_table(name, STATEMENT, None, qualifier)
    assert str(problem) == text
    assert problem.hint in {None, "Tables: crsp_daily."}


@pytest.mark.parametrize(
    ("position", "place"),
    [(0, (1, 1)), (7, (1, 8)), (13, (1, 13)), (15, (1, 15)), (16, (2, 1)), (23, (2, 8)), (999, None), (-1, None)],
)
def test_byte_positions_become_lines_and_character_columns(position: int, place: tuple[int, int] | None) -> None:
    assert line_and_column(SQL, position) == place


@pytest.mark.parametrize(
    ("count", "kind"),
    [(None, ProblemKind.NOT_SELECT), (0, ProblemKind.NOT_SELECT), (2, ProblemKind.MULTI_STATEMENT)],
)
def test_text_that_is_not_one_select(count: int | None, kind: ProblemKind) -> None:
    assert not_a_query(count).kind is kind


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": True, "error_type": "not implemented"}, ProblemKind.NOT_SELECT),
        ({"error": True, "error_type": "parser", "error_message": "x", "position": "3"}, ProblemKind.SYNTAX_ERROR),
        ({"error": True, "error_type": "anything new"}, ProblemKind.UNSUPPORTED),
    ],
)
def test_refusals_of_the_serializer(document: dict[str, object], kind: ProblemKind) -> None:
    assert parse_failure(document, STATEMENT).kind is kind


def test_a_problem_survives_the_way_between_processes() -> None:
    problem = QueryProblem(ProblemKind.BINDING, "text", 3, 4, "hint")
    assert QueryProblem.from_json(json.loads(json.dumps(problem.to_json()))) == problem


def test_positions_are_matched_node_by_node() -> None:
    nowhere = 2**64 - 1
    original = {"query_location": 9, "children": [{"query_location": 20}, {"query_location": nowhere}, 1], "only": 3}
    rewritten = {"query_location": 7, "children": [{"query_location": 11}, {"query_location": 15}, 1]}
    assert match_positions(rewritten, original) == {7: 9, 11: 20}
