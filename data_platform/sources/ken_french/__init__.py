"""Rows from Kenneth R. French's data library: download, unzip, parse, assemble.

The format is read by its rules in `parsing`, which knows nothing of tables of ours; `assembling` maps the headers of
files of factors to published columns and percent to decimals, and `portfolios` puts the captioned tables of a file of
industries below each other (`captions` tells which is which). What the numbers mean stands in the catalog.
"""
