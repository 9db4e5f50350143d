"""Dagster: assets made from the catalog, their checks, jobs, housekeeping, the instance and what runs need.

Only the translation between Dagster and the rooms above belongs here: which partition was asked for, what a run
shows, how an error looks in the UI. What a sync or a query does is decided there, never here.
"""
