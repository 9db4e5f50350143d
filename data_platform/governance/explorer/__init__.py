"""The service over licensed rows: permission, limit, audit, engine, in this order, and no way around one of them.

Belongs here: what a caller may do with data, each thing in a room of its own behind one facade: browsing, one query,
its pages, its plan, requests that run later or elsewhere, exports, and the replay of an audited query.

Does not belong here: how a statement is run safely (`engine`), who somebody is and what they hold (`identity`,
`permissions`), and how rows of the records are stored.
"""

from data_platform.governance.explorer.asked import MAX_PAGE_ROWS, MAX_TIMEOUT_SECONDS, QueryResult
from data_platform.governance.explorer.service import DataExplorerService

__all__ = ["MAX_PAGE_ROWS", "MAX_TIMEOUT_SECONDS", "DataExplorerService", "QueryResult"]
