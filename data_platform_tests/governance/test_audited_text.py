"""A statement and its parameters as one text."""

from __future__ import annotations

import datetime as dt

import pytest

from data_platform.governance.audited_text import MARK, audited_text, statement_of
from data_platform.governance.engine.parameters import Parameters, encode
from data_platform.governance.fingerprint import fingerprint


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "", "SELECT 1 -- parameters: none", f"SELECT 1\n{MARK}{{}}", f'{MARK}{{"1": ["int", "2"]}}', "a\n\n"],
)
@pytest.mark.parametrize("parameters", [None, [1, "x\ny"], {"since": dt.date(2024, 1, 2), "none": None}])
def test_what_is_joined_comes_apart_again(sql: str, parameters: Parameters | None) -> None:
    encoded = encode(parameters)
    assert statement_of(audited_text(sql, encoded)) == (sql, encoded)


def test_a_statement_without_parameters_is_kept_as_it_is() -> None:
    assert audited_text("SELECT 1 -- x", {}) == "SELECT 1 -- x"


def test_the_fingerprint_does_not_see_the_parameters() -> None:
    assert fingerprint(audited_text("SELECT ?", encode([1]))) == fingerprint("SELECT ?")
