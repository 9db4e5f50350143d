"""Contracts: whether a staged file's rows keep the rules that the catalog declares for its table.

Rules of rows become a pandera schema and are judged row group by row group, in bounded memory; rules between rows or
tables are polars queries over just their columns. What comes out are findings: which rule, how many rows, and the keys
of a few. Which rules there are belongs to the catalog, and what a finding means for the partition to the validators.
"""

from data_platform.quality.contracts.judging import Judgement, judge_rows, needed_columns

__all__ = ["Judgement", "judge_rows", "needed_columns"]
