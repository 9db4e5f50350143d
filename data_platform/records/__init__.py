"""Postgres: the server, connections, migrations, and one small repository per family of tables.

Belongs here: running the embedded server (`embedded`), finding the databases to talk to (`databases`), the pooled
connection that carries row-level security's settings (`connection`, `scope`, `scope_seal`), migrations (`migrations`,
whose SQL lies in `sql/migrations`), the hash chain of audit tables (`chain`, `chain_check`, `audit_verification`),
retention and its archives (`retention_policies`, `retention`, `archives`, `archive_files`), log lines that wait in
files (`pending_lines`, `pending_loading`), limits (`rate_limits`) and the statements that read and write each table. A
repository function takes an open connection and leaves the transaction to its caller. `query_audit` opens its own,
because the rate limit and the audit row must be one transaction, and so does `platform_audit.note`; `pending_loading`
does, because a file is removed after it. Retention and `audit_rotation` work as the tables' owner, everything else as
the service.

Does not belong here: who may do what (governance decides, these tables only remember and row-level security only
repeats the dataset filter), Dagster, files of the warehouse. Licensed rows and plain query text never come here.
"""
