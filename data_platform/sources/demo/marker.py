"""The file that says: this home holds the demo. It is written last, so whoever sees it finds the demo complete."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import ConfigurationError
from data_platform.settings import Settings


class DemoMarker(BaseModel):
    """What was generated: the seed decides every number, so equal markers mean equal data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: int
    seed: int
    first_year: int
    last_year: int
    securities: int
    rows: int


def demo_folder(settings: Settings) -> Path:
    """The folder that the demo owns in this home."""
    return settings.home / "demo"


def library_folder(settings: Settings) -> Path:
    """Where the synthetic data library's zip files lie."""
    return demo_folder(settings) / "ken_french"


def demo_marker(settings: Settings) -> DemoMarker | None:
    """Read the marker; None when this home holds no demo.

    Raises:
        ConfigurationError: when the file is there but cannot be read as a marker.
    """
    path = _marker_path(settings)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return DemoMarker.model_validate_json(text)
    except ValidationError:
        raise ConfigurationError(
            f"The demo's marker {path} is damaged.", hint="Remove it and run `data-platform demo` again."
        ) from None


def write_marker(settings: Settings, marker: DemoMarker) -> None:
    """Put the marker in place in one step, on disk before it is named."""
    write_durably(_marker_path(settings), marker.model_dump_json(indent=2).encode() + b"\n")


def remove_marker(settings: Settings) -> None:
    """Take the demo's word back before its data changes."""
    _marker_path(settings).unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step: written and flushed under a temporary name, then renamed, then the folder flushed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _marker_path(settings: Settings) -> Path:
    return demo_folder(settings) / "demo.json"
