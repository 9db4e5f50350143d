"""Keeping Dagster's processes alive: whichever of them dies is started again, and the others go on meanwhile.

Belongs here: the process that owns code server, daemon and webserver (`__main__.py`), restarting with pauses that grow
(`child.py`), and noticing a code server that no longer answers (`code_server.py`). Above it stands `serving.py`, which
keeps this process itself; what the processes do is theirs.
"""
