"""What racing and dying senders do, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from pydantic import SecretStr

from data_platform.alerting.channels import configured, open_channel
from data_platform.alerting.delivery import deliver
from data_platform.records.connection import connect_records
from data_platform.records.databases import Databases
from data_platform.records.scope import Scope
from data_platform.settings import Settings


def deliver_at_once(_number: int, databases: Databases, address: str, ready: Callable[[], None]) -> int:
    """Deliver at the same moment as others; return how many alerts were sent."""
    settings = Settings(alert_channels={"oncall": SecretStr(address)})
    open_channel(configured(settings)["oncall"])
    with connect_records(databases, max_connections=2) as records:
        with records.transaction(Scope.system("test")):
            ready()
        return sum(deliver(records, settings).sent for _ in range(3))


_SENDER = """
import sys
from pydantic import SecretStr
from data_platform.alerting.delivery import deliver
from data_platform.records.connection import connect_records
from data_platform.records.databases import Databases
from data_platform.settings import Settings
owner_url, service_url, dagster_url, address = sys.argv[1:]
databases = Databases(owner_url, service_url, dagster_url, embedded=True, demo=None)
with connect_records(databases) as records:
    deliver(records, Settings(alert_channels={"oncall": SecretStr(address)}))
"""


def start_sender(databases: Databases, address: str) -> subprocess.Popen[bytes]:
    """Start a process that delivers once."""
    return subprocess.Popen(
        [sys.executable, "-c", _SENDER, databases.owner_url, databases.service_url, databases.dagster_url, address]
    )
