"""The demo's `crsp.metaflaginfo` and `crsp.metaiteminfo`: what flags mean, and which items have them.

CRSP ships such dictionaries with its files. These rows cover what the demo's own relations use, in our words.
"""

from __future__ import annotations

from typing import Final, LiteralString

import polars as pl

from data_platform.sources.demo.crsp.meanings import FLAGS, ITEMS

FLAG_COLUMNS: Final[dict[str, LiteralString]] = {
    "flagtype": "varchar(2)",
    "flagvalue": "varchar(30)",
    "flagtypedesc": "varchar(80)",
    "flagdesc": "varchar(120)",
    "flagdef": "varchar(400)",
    "flagcoverageflg": "varchar(1)",
    "flagkey": "integer",
}
ITEM_COLUMNS: Final[dict[str, LiteralString]] = {
    "itemname": "varchar(30)",
    "itemdesc": "varchar(80)",
    "itemdef": "varchar(400)",
    "itemcategory": "varchar(30)",
    "itemclass": "varchar(30)",
    "itemmaxcharlen": "integer",
    "itemnullflg": "varchar(1)",
    "itemmissingflg": "varchar(1)",
    "itemhasdataflg": "varchar(1)",
    "itemflagtype": "varchar(2)",
    "itemactiveflg": "varchar(1)",
    "itemfilecnt": "integer",
    "itemkey": "integer",
}

_FIRST_FLAG, _FIRST_ITEM, _STEP = 1_000_001, 100_001, 4


def flag_frame() -> pl.DataFrame:
    """One row per flag type and value."""
    rows = [
        (kind, value, flags.title, short, f"{flags.title}: {short}.", "Y")
        for kind, flags in FLAGS.items()
        for value, short in flags.values.items()
    ]
    numbered = [(*row, _FIRST_FLAG + _STEP * number) for number, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema=list(FLAG_COLUMNS), orient="row")


def item_frame() -> pl.DataFrame:
    """One row per item, those with flags first."""
    rows: list[tuple[object, ...]] = []
    for number, (name, item) in enumerate(ITEMS.items()):
        kind = "Flag" if item.flags else item.kind
        longest = max(map(len, FLAGS[item.flags].values)) if item.flags else None
        head = (name, item.title, f"{item.title}, as the demo's relations hold it.", item.category, kind, longest)
        rows.append((*head, "Y", "N", "Y", item.flags, "Y", 1, _FIRST_ITEM + _STEP * number))
    return pl.DataFrame(rows, schema=list(ITEM_COLUMNS), orient="row", infer_schema_length=None)
