"""The platform as it runs, struck: its processes killed, its database hung and stopped, many runs one after another.

Everything is real: `data-platform up` with the demo's source, signals, the embedded PostgreSQL. What counts is that
nothing acknowledged is lost, no run stays started for ever, and the next tick works. What is short in the ordinary run
is long with `--torture`.
"""
