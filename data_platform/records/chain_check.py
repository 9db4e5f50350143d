"""Following a chain of audit rows and saying what does not fit: pure functions over rows in order of id.

A row that was changed has another hash than its content. A row that was removed leaves a gap in the ids. A row that
was moved or put in does not name the hash before it. After each finding the chain is followed from the row as it
stands, so that one break is one finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ConfigurationError
from data_platform.records.chain import GENESIS, Head, chain_hash

MOST_FINDINGS: Final = 100
"""A chain that is broken all over is described by its beginning."""


class Break(BaseModel):
    """A place where a chain does not hold; `row` is the id at which it shows."""

    model_config = ConfigDict(frozen=True)

    row: int
    kind: Literal["changed", "removed", "out_of_place", "text_exchanged", "text_unreadable", "archive", "witness"]
    message: str


class ChainFollower:
    """Follows rows as they are fed, in order of id, from the hash before the first of them.

    `decrypt` turns a stored text back, so that it can be compared with its digest; without it texts are not looked at.
    """

    def __init__(
        self, start: Head | None = None, decrypt: Callable[[bytes | str], str] | None = None, most: int = MOST_FINDINGS
    ) -> None:
        self.head = start or Head(0, GENESIS)
        self.rows = 0
        self.texts_checked = 0
        self.breaks: list[Break] = []
        self._decrypt = decrypt
        self._most = most

    def feed(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Follow the next rows."""
        for row in rows:
            number = int(row["id"])
            if number > self.head.id + 1:
                self.report(number, "removed", f"{_rows(self.head.id + 1, number - 1)} removed")
            elif row["previous_hash"] != self.head.hash:
                self.report(number, "out_of_place", f"row {number} does not follow row {self.head.id}: moved or put in")
            if row["hash"] != chain_hash(str(row["previous_hash"]), row):
                self.report(number, "changed", f"row {number} was changed")
            self._look_at_text(row)
            self.head = Head(number, str(row["hash"]))
            self.rows += 1

    def close(self, end: Head) -> None:
        """Compare the last row that was fed with the one that should be the last."""
        if end.id > self.head.id:
            self.report(end.id, "removed", f"{_rows(self.head.id + 1, end.id)} removed from the end")
        elif end.id < self.head.id:
            self.report(self.head.id, "out_of_place", f"{_rows(end.id + 1, self.head.id)} put in at the end")
        elif end.hash != self.head.hash:
            self.report(end.id, "changed", f"row {end.id}, the last, is another than was written")

    def report(self, row: int, kind: Any, message: str) -> None:  # noqa: ANN401 - one of the kinds of `Break`
        """Note a break, unless there are enough already."""
        if len(self.breaks) < self._most:
            self.breaks.append(Break(row=row, kind=kind, message=message))

    def _look_at_text(self, row: Mapping[str, Any]) -> None:
        digest, text = row.get("query_text_sha256"), row.get("query_text")
        if digest is None or self._decrypt is None:
            return
        if text is None:
            self.report(int(row["id"]), "text_exchanged", f"the text of row {row['id']} is gone")
            return
        try:
            plain = self._decrypt(text)
        except ConfigurationError:
            # Another key, or bytes that never were a text: without the key nobody can tell.
            message = f"the text of row {row['id']} can't be read with any key that is given"
            self.report(int(row["id"]), "text_unreadable", message)
            return
        self.texts_checked += 1
        if text_digest(plain) != digest:
            self.report(int(row["id"]), "text_exchanged", f"the text of row {row['id']} is another than was written")


def text_digest(text: str) -> str:
    """Return the SHA-256, in hex, that an audit row keeps of a query's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _rows(first: int, last: int) -> str:
    return f"row {first} was" if first == last else f"rows {first:,} to {last:,} were"
