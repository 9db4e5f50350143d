"""What the records keep of what people type, and what they refuse without repeating it."""

from __future__ import annotations

import pytest

from data_platform.errors import UsageError
from data_platform.records import texts


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("  \n\t", ""),
        (" late file ", "late file"),
        ("two\nlines", "two\nlines"),
        ("x" * 2000, "x" * 2000),
        (" " * 10_000 + "x", "x"),
        ("grün 💡 \u202e", "grün 💡 \u202e"),
    ],
)
def test_a_text_is_kept_without_the_space_around_it(text: str, kept: str) -> None:
    assert texts.bounded(text, "The reason") == kept


@pytest.mark.parametrize(
    ("text", "longest", "message"),
    [
        ("x" * 2001, 2000, "The note is 2,001 characters long; at most 2,000 are allowed. Shorten it."),
        ("secret" * 2_000_000, 2000, "The note is 12,000,000 characters long; at most 2,000 are allowed. Shorten it."),
        ("secret", 5, "The note is 6 characters long; at most 5 are allowed. Shorten it."),
        ("se\0cret", 2000, "The note holds a NUL character at position 3. Remove that character."),
        (
            "secret\ud800",
            2000,
            "The note holds half of a surrogate pair at position 7, which is no character. "
            "Remove it, or send the text as valid UTF-8.",
        ),
    ],
    ids=["long", "12 MB", "longer than asked", "NUL", "surrogate"],
)
def test_what_cannot_be_kept_is_refused_without_repeating_it(text: str, longest: int, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        texts.bounded(text, "The note", longest)
    assert str(refused.value) == message


@pytest.mark.parametrize(("text", "expected"), [(None, None), ("", None), (" \n", None), (" why ", "why")])
def test_a_blank_reason_is_none(text: str | None, expected: str | None) -> None:
    assert texts.reason(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("x\0", "The reason holds a NUL"), ("x" * 2001, "The reason is 2,001")])
def test_a_reason_that_cannot_be_kept_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        texts.reason(text)


@pytest.mark.parametrize(
    ("text", "message"), [("", "The name is empty"), (" ", "is empty"), ("x" * 129, "is 129"), ("a\0", "NUL")]
)
def test_what_nothing_can_be_called_is_no_name(text: str, message: str) -> None:
    assert texts.name(" crsp ", "The name") == "crsp"
    with pytest.raises(UsageError, match=message):
        texts.name(text, "The name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("crsp", "'crsp'"), ("a\x1b[2J", r"'a\x1b[2J'"), ("x" * 60, f"'{'x' * 60}'"), ("x" * 61, f"'{'x' * 60}'…")],
)
def test_what_a_message_shows_is_short_and_harmless(text: str, expected: str) -> None:
    assert texts.shown(text) == expected
