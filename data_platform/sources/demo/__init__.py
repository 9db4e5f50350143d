"""A synthetic WRDS and a synthetic data library, so that everything runs on a machine without credentials.

A market is generated from a seed (`market`). Its relations are written as WRDS would serve them into a Postgres server
of this home: `crsp` (CIZ format, links, dictionaries), `siz` (the older format), `compustat` and `ff`; `relations`
lists them all. `library` sums the market up into files in the data library's format. What made the prices lies apart
from both (`truth`). The numbers are invented and say so. Reading them back is not done here: the real sources do
that, over the same protocols.

The rows hold the traps of the real ones, each in any market of two years or more, for programs and people to be tried
on; `data_platform_tests/sources/test_demo_traps.py` finds each by query:

- Restatements: rows of `comp.funda` with `datafmt` SUMM_STD beside the STD row of the same `gvkey` and `datadate`;
  and what the second vintage changed (`vintages`).
- Two formats: a financial company (`sich` 6021 or 6311) has each statement with `indfmt` INDL and FS.
- Fiscal-year change: two rows of `comp.fundq` with one `gvkey`, `fyearq`, `fqtr` and `indfmt`, of different `datadate`.
- Leading zeros: every other `gvkey` begins with 000 in a market of up to 1,600 companies.
- Late filings: `rdq` of `comp.fundq` null, or more than 90 days after `datadate`; `comp.co_filedate` is later still.
- Link ranges: in `crsp.ccmxpf_lnkhist` a `gvkey` whose second `lpermno` begins the day after the first one ends;
  `linkprim` that goes from P to C within one link; NR and NU ranges without `lpermno`; LD and LN, which are no good.
- Share classes: one `permco` with two `permno` at the same time, `liid` and `iid` 01 and 02, the second one with
  `linkprim` J.
- Ticker reuse: in `crsp.stksecurityinfohist` a `ticker` of a delisted `permno` that another `permno` has later.
- Splits: `dlyfacprc` 2 in `crsp.dsf_v2`; `disdivamt` is null and not 0 in `crsp.stkdistributions`.
- Two distributions on one ex-date: `disseqnbr` 1 and 2.
- Delisting: the return stands in a row of its own with `dlydelflg` Y and `tradingstatusflg` D, without ticker and
  trade, which a filter for active securities loses. It is missing for some (`delretmisstype`; `dlret` null).
- SIZ: `prc` is negative for a midpoint and 0 for none; `ret` of `crsp.dsf` is -44, -55, -66, -77, -88, -99 or null
  where it is missing, and without the delisting return; `vol` of `crsp.msf` is in hundreds of shares.
"""
