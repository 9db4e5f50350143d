"""Which cells stand whole, and which columns are left out."""

from __future__ import annotations

import pytest

from data_platform.cli.table_layout import how_many_fit, keeps_whole, least_width, share_out, which_fit


@pytest.mark.parametrize(
    ("cells", "whole"),
    [
        (["crsp_daily", "-"], True),
        (["c8d66b6f-fd4e-4011-b097-1fccc8137f56"], True),
        (["2026-11-28 00:10:33"], True),
        (["Nothing was published."], False),
        (["x" * 41], False),
        ([], True),
    ],
)
def test_names_and_moments_stand_whole_and_prose_does_not(cells: list[str], whole: bool) -> None:
    assert keeps_whole(cells) is whole


@pytest.mark.parametrize(
    ("name", "cells", "width"),
    [
        ("Table", ["compustat_securities"], 20),
        ("Last sync (UTC)", ["-"], 5),
        ("Message", ["All is well, as far as we know."], 12),
        ("Message", ["a b"], 7),
        ("", [""], 0),
    ],
)
def test_a_column_has_room_for_its_names_and_for_the_words_above_it(name: str, cells: list[str], width: int) -> None:
    assert least_width(name, cells) == width


@pytest.mark.parametrize(("room", "fitting"), [(5, 1), (15, 1), (28, 2), (41, 3), (1_000, 3)])
def test_what_does_not_fit_is_left_out_from_the_right(room: int, fitting: int) -> None:
    assert how_many_fit([10, 10, 10], room) == fitting


@pytest.mark.parametrize(
    ("room", "shown"),
    [(1_000, [0, 1, 2, 3]), (54, [0, 1, 2, 3]), (53, [0, 1, 3]), (41, [0, 1, 3]), (40, [0, 3]), (15, [3]), (14, [0])],
)
def test_of_what_does_not_fit_the_essential_columns_go_last(room: int, shown: list[int]) -> None:
    assert which_fit([10, 10, 10, 10], room, {3}) == shown
    assert which_fit([10, 10, 10, 10], room, ()) == list(range(how_many_fit([10, 10, 10, 10], room)))


@pytest.mark.parametrize(
    ("room", "widths"),
    [(1_000, [23, 60, 30]), (103, [23, 40, 30]), (89, [23, 28, 28]), (57, [23, 12, 12]), (20, [23, 12, 12])],
)
def test_the_widest_give_way_down_to_what_they_need(room: int, widths: list[int]) -> None:
    assert share_out([23, 12, 12], [23, 60, 30], room) == widths


def test_a_text_of_megabytes_is_laid_out_as_one_of_a_line() -> None:
    assert share_out([12, 5], [50_000_000, 5], 80) == share_out([12, 5], [80, 5], 80) == [68, 5]
    # Where there is not even the room for what they need.
    assert share_out([60, 60], [50_000_000, 90], 80) == [60, 60]


def test_a_table_without_columns_has_none_that_fit() -> None:
    assert (how_many_fit([], 80), which_fit([], 80, ())) == (0, [])
