"""One statement of a user's SQL, run in a process of its own over files that the caller names.

Belongs here: the process, its limits and what the kernel confines it to, whose turn it is, the locked DuckDB session,
the guard that reads DuckDB's own parse of the statement, bound parameters, the result stream, and the translation of
engine errors into text that holds no path and no stored value.

Does not belong here: who may ask, what was asked before, and which files make up a table. The engine is handed view
names and Parquet paths; of a user it knows the name, and it knows no database of records and no warehouse.
"""
