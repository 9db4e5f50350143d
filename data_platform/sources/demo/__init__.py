"""A synthetic WRDS and a synthetic data library, so that everything runs on a machine without credentials.

A market is generated from a seed (`market`), written as the table that WRDS would serve (`relation`) into a Postgres
server of this home, and summed up into files in the data library's format (`library`). The numbers are
invented and say so. Reading them back is not done here: the real sources do that, over the same protocols.
"""
