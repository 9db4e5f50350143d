"""Postgres: the server, connections, migrations, and one small repository per family of tables.

Belongs here: running the embedded server (`embedded`), finding the databases to talk to (`databases`), the pooled
connection that carries row-level security's settings (`connection`, `scope`), migrations (`migrations`, whose SQL
lies in `sql/migrations`), the hash chain of audit tables (`chain`) and the statements that read and write each
table. A repository function takes an open connection and leaves the transaction to its caller; `query_audit` alone
opens its own, because the rate limit and the audit row must be one transaction.

Does not belong here: who may do what (governance decides, these tables only remember and row-level security only
repeats the dataset filter), Dagster, files of the warehouse. Licensed rows and plain query text never come here.
"""
