"""Licensed research data, synced once, kept as immutable versions, read through one governed door.

The rooms of the house, in the order in which they may import one another (never upwards from below):
settings and errors, catalog, records, sources, warehouse, quality, sync, governance, orchestration, cli.
Each room's own docstring says what belongs there; docs/architecture.md shows the whole.
"""
