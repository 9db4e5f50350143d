"""The relations of WRDS's schema `crsp` in the older SIZ format, which ended with 2024 and is kept for old programs.

They tell the same securities and trading days as the CIZ relations in the format's own way: a negative price is a
midpoint, 0 is none, missing returns are codes, and the delisting return stands apart in `crsp.dsedelist`. So they have
no row for the day of a delisting return.
"""
