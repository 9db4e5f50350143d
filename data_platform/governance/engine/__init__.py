"""One statement of a user's SQL, run in a process of its own over files that the caller names.

Belongs here: the process and its limits, the locked DuckDB session, the guard that reads DuckDB's own parse of the
statement, the result stream, and the translation of engine errors into text that holds no path and no stored value.

Does not belong here: who may ask, what was asked before, and which files make up a table. The engine is handed view
names and Parquet paths; it knows no user, no database of records and no warehouse.
"""
