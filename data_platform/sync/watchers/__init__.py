"""Watchers: what a person should be told of that no single sync finds, once when it begins, and that it is over.

Here belong the decisions (`syncs`, `storage`, `upkeep`: pure functions from facts to `Watch`), gathering the facts that
the home holds (`looking`, and `drift`, which compares prices), and turning what was found into alerts and
acknowledgments (`telling`). Who looks how often, and what only Dagster knows, does not belong here; neither does
sending, which is `alerting`'s.
"""
