"""Rows from Kenneth R. French's data library: download, unzip, parse, assemble.

The format is read by its rules in `parsing`, which knows nothing of tables of ours; `assembling` maps a file's
headers to published columns and percent to decimals. What the numbers mean stands in the catalog.
"""
