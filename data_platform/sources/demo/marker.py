"""The file that says: this home holds the demo. It is written last, so whoever sees it finds the demo complete."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import ConfigurationError
from data_platform.records.private_files import private_folder, write_private
from data_platform.settings import Settings


class DemoMarker(BaseModel):
    """What was generated: the seed decides every number, so equal markers mean equal data.

    `rows` are those of `crsp.dsf_v2`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: int
    seed: int
    first_year: int
    last_year: int
    securities: int
    rows: int
    vintage: int = 1


def demo_folder(settings: Settings) -> Path:
    """The folder that the demo owns in this home."""
    return settings.home / "demo"


def library_folder(settings: Settings) -> Path:
    """Where the synthetic data library's zip files lie."""
    return demo_folder(settings) / "ken_french"


def truth_folder(settings: Settings) -> Path:
    """Where the loadings and factors lie that made the prices."""
    return demo_folder(settings) / "truth"


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
    private_folder(demo_folder(settings))
    write_private(_marker_path(settings), marker.model_dump_json(indent=2) + "\n")


def remove_marker(settings: Settings) -> None:
    """Take the demo's word back before its data changes."""
    _marker_path(settings).unlink(missing_ok=True)


def _marker_path(settings: Settings) -> Path:
    return demo_folder(settings) / "demo.json"
