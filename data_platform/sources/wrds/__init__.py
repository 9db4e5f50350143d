"""Rows from a WRDS server, through the real `wrds` client.

The client opens the one session that an opened source uses; this package binds the extract query, moves its result
by COPY in bounded memory, turns it into Arrow, and tells the server's failures apart. Which server that is (the real
one or the demo's) is decided elsewhere, and nothing here differs between them.
"""
