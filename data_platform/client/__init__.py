"""The Python client of the HTTP interface: `from data_platform.client import connect`.

What belongs here: asking a server and turning its answers into Arrow, Polars or pandas and its errors into ours
(`connection`, `result`, `transport`, `address`), and how an error travels (`wire`), which the server uses too. Rows
arrive as Arrow, so that types stay what they were.

What does not: any rule. The server decides everything; this room knows no service, no warehouse and no Dagster.
"""


__all__ = ["Client", "QueryResult", "connect"]
