"""Reverse deltas: how the rows of a dropped file are kept as what sets them apart from a later one, and brought back.

What a delta is, writing one, putting rows together from a chain of them, and the hash that proves the result. Which
files are dropped, and when, is decided in `retention`.
"""
