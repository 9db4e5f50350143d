"""The relations of WRDS's schema `crsp` in the CIZ format, its dictionaries, and the links to Compustat.

One module per relation or close family: the columns with their Postgres types, and a function from the market to a
frame, or to frames one after another where there are many rows. The older SIZ format has a room of its own.
"""
