"""The index of one backup: which files it holds, under which hash each is kept."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.manifest import Sha256
from data_platform.warehouse.sealed import seal, unseal

Kind = Literal["daily", "weekly"]
_SEAL: Final = "index_sha256"
FileKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@=+-]+(/[A-Za-z0-9._@=+-]+)*$")]
SetId = Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{12}Z-(daily|weekly)$")]


class StoredFile(BaseModel):
    """One file of a set. `bytes` and `sha256` are those of the plain content, `stored_bytes` of the encrypted one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: FileKey
    sha256: Sha256
    bytes: int = Field(ge=0)
    stored_bytes: int = Field(gt=0)

    @model_validator(mode="after")
    def _stays_inside(self) -> Self:
        if {".", ".."} & set(self.key.split("/")):
            raise ValueError("a key leads out of its folder")
        return self


class BackupSet(BaseModel):
    """One backup. `created_at` is when reading began: what was published before is in it.

    `records_owner` is the database role that owned the dumped records; None when there is no dump. `missing` names
    what should be here and had no sound copy anywhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: SetId
    kind: Kind
    created_at: dt.datetime
    platform_version: str
    recipient: str
    records_owner: str | None
    files: tuple[StoredFile, ...]
    missing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _invariants(self) -> Self:
        if self.created_at.utcoffset() != dt.timedelta(0):
            raise ValueError("created_at is not UTC")
        keys = [file.key for file in self.files]
        if len(keys) != len(set(keys)):
            raise ValueError("a key appears twice")
        return self

    @property
    def bytes(self) -> int:
        """Bytes of all files, as they will be after a restore."""
        return sum(file.bytes for file in self.files)

    def find(self, key: str) -> StoredFile | None:
        """The file of that key, if the set has it."""
        return next((file for file in self.files if file.key == key), None)

    def to_bytes(self) -> bytes:
        """The index as stored, before encryption."""
        return seal(self.model_dump(mode="json"), _SEAL)

    @classmethod
    def from_bytes(cls, data: bytes, *, set_id: str) -> BackupSet:
        """Load an index and check every invariant.

        Raises:
            ChecksumMismatchError: when it is torn, changed, or not that set's.
        """
        try:
            loaded = cls.model_validate(unseal(data, _SEAL, name=f"The index of backup {set_id}"))
        except ValidationError:
            raise damaged_set(set_id) from None
        if loaded.id != set_id:
            raise damaged_set(set_id)
        return loaded


def new_set_id(kind: Kind, created_at: dt.datetime) -> str:
    """The name of a set: sorts by time."""
    return f"{created_at:%Y%m%dT%H%M%S%f}Z-{kind}"


def damaged_set(set_id: str) -> ChecksumMismatchError:
    """Say that a set's index can't be used."""
    return ChecksumMismatchError(
        f"The index of backup {set_id} is damaged.", hint="Use another set: see `data-platform backup list`."
    )
