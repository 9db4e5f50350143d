"""Backups: encrypted, content-addressed copies of what must not be lost, at any place that fsspec reaches.

Belongs here: the keys (`keys`), talking to the place (`destination`), encrypted objects named by the hash of their
content (`objects`), the sets that name them (`sets`), which files of the warehouse belong into a set (`selecting`),
and the operations on top: `running`, `restoring`, `rotating`. `backups` is the door. Every other file to be kept
(dumps of databases, secrets) is handed in by the caller: Postgres does not belong here.

At the place, `<key>` being the short name of the key that everything in that folder is encrypted with:

    objects/<key>/<ab>/<sha256 of the content>.age
    sets/<key>/<time>-<kind>.json.age
    keys/<key>.json
    tmp/

A set is written last, when everything it names is there: it is the commit of a backup.
"""

from data_platform.warehouse.backup.backups import Backups, open_backups

__all__ = ["Backups", "open_backups"]
