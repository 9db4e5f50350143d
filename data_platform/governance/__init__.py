"""Who may see what, and the one door through which people without file access read licensed rows.

Belongs here: identity, permissions and the scopes that follow from them, accounts, the audit for people and its key,
what people see and steer of syncs and of quality, what administrators do to let go of old things (`housekeeping`,
`archiving`, `record_retention`), the rate-limited and audited execution of a query, and `engine`, which runs one
statement in a process of its own.
`DataExplorerService` is what the command line, the HTTP interface and the orchestrated query job call; there is no
second way to run a user's SQL.

Does not belong here: how files are kept (`warehouse`), how records are stored (`records`), how a run is launched,
and reading for people who are trusted with the files (`research`).
"""
