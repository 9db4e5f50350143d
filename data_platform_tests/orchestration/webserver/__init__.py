"""Dagster's webserver, governed: every route, every mutation, every kind of user."""
