"""The embedded PostgreSQL: a real server from a wheel's binaries, private to one `DATA_PLATFORM_HOME`.

Belongs here: finding the binaries, running them (also as root), creating the cluster so that a kill leaves nothing
half-made, its roles and databases, starting, stopping and sharing the server between commands. The way in is
`service.open_embedded`. What the tables hold, and servers that are not ours, do not belong here.
"""
