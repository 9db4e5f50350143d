"""The one place where the environment is read: `DATA_PLATFORM_*` variables and `.env` of the working folder."""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data_platform.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The checkout: holds `sql/`, `dagster.yaml` and `workspace.yaml`."""

KEN_FRENCH_URL = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _channels(value: object) -> object:
    """Turn the variable's text into an object. What is wrong with it is said without any of it."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("it is no JSON object of names and addresses") from None
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object of names and addresses")  # noqa: TRY004 - pydantic asks for this one
    names = cast("dict[str, object]", value)
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name) for name in names):
        raise ValueError("a name has other characters than lower-case letters, digits, - and _, or more than 64")
    return names


def _names(value: object) -> object:
    return {name.strip() for name in value.split(",") if name.strip()} if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that differs between one installation and the next. Secrets print as stars."""

    model_config = SettingsConfigDict(
        env_prefix="DATA_PLATFORM_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default=Path("var"), description="Where data, records and run storage live (mode 0700)."
    )
    env: Literal["development", "production"] = Field(
        default="development", description="In production, what is done at set times is on from the start."
    )
    postgres_url: SecretStr | None = Field(
        default=None, description="The user's own PostgreSQL instead of the embedded one."
    )

    wrds_host: str = Field(
        default="wrds-pgdata.wharton.upenn.edu", description="Host name, or the folder of a Unix socket."
    )
    wrds_port: int = Field(default=9737, ge=1, le=65535)
    wrds_dbname: str = "wrds"
    wrds_username: str | None = None
    wrds_password: SecretStr | None = None
    wrds_password_expires: dt.date | None = Field(
        default=None, description="The day on which the WRDS password stops working; unset, nobody is warned of it."
    )
    wrds_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "require"

    crsp_format: Literal["ciz", "siz"] = Field(
        default="ciz",
        description="CRSP's living format (ciz), or the older one, which ended in 2024 (siz), for the tables it had.",
    )

    ken_french_url: str | None = Field(
        default=None, description=f"Base address of the data library; {KEN_FRENCH_URL} unless set."
    )

    start_year: int = Field(default=2000, ge=1925, le=2100, description="First year of yearly partitions.")

    block_on_anomalies: bool = Field(
        default=True, description="Whether what statistics find wrong keeps a partition from being published."
    )

    url: str | None = Field(
        default=None, description="A server that the command and the client talk to, instead of working here."
    )
    token: SecretStr | None = Field(default=None, description="Act as the user whom this token belongs to.")
    queries_per_minute: int = Field(default=10, ge=1, le=100_000, description="Per user.")
    exports_per_hour: int = Field(default=5, ge=1, le=100_000, description="Per user.")
    reference_datasets: Annotated[frozenset[str], NoDecode, BeforeValidator(_names)] = Field(
        default=frozenset(), description="Public datasets whose tables may be joined to those of a licensed one."
    )
    require_sandbox: bool = Field(
        default=False, description="Whether queries are refused where the kernel can't confine their processes."
    )
    query_audit_encryption_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("QUERY_AUDIT_ENCRYPTION_KEY", "query_audit_encryption_key"),
        description="Fernet key (several, comma-separated, newest first) for query text at rest.",
    )

    identity: Literal["local", "proxy", "token"] = Field(
        default="local", description="How Dagster's UI learns who asks: see `orchestration/webserver`."
    )
    proxy_secret: SecretStr | None = Field(
        default=None, min_length=16, description="What the authenticating proxy proves itself with."
    )
    ui_visibility: Literal["all", "strict"] = Field(
        default="all", description="Whether Dagster's UI may be read by users who lack a dataset (all) or not (strict)."
    )

    backup_url: SecretStr | None = Field(
        default=None, description="Where backups go, any URL that fsspec knows; `backups/` in the home unless set."
    )
    backup_key: SecretStr | None = Field(
        default=None, description="age identities (several, comma-separated, newest first) for backups."
    )

    alert_channels: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_channels)] = Field(
        default_factory=dict[str, SecretStr],
        description="Where alerts are sent: a JSON object of names and apprise addresses, which hold secrets.",
    )

    @cached_property
    def warehouse_root(self) -> Path:
        """The folder that `data_platform.warehouse` owns."""
        return self.home / "warehouse"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: naming each variable that is wrong and why, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(str(problem['loc'][0]) if problem['loc'] else '?')}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(
            f"Settings are not valid. {problems}.", hint="Correct them in the environment or in .env."
        ) from None


def _variable(field: str) -> str:
    return field if field.isupper() else f"DATA_PLATFORM_{field.upper()}"
