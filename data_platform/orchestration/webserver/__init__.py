"""Dagster's own webserver, governed: who asks, what they may do and see, and what its buttons say.

What belongs here: telling who a request comes from (`asking`), the door that every request passes (`gate`), the
permissions of Dagster in terms of ours (`verdicts`, `mutations`), and the modules that lean on Dagster's internals
(`context`, `schema`, `server`, `running`), which are written for the pinned version and tested to fail when it moves.
What a role may do is decided in `governance`, what a launch must meet in `governance/manual_syncs.py`.
"""
