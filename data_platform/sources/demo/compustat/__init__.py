"""The relations of WRDS's schema `comp`: statements of the market's companies, and who they are.

`firms` says which companies there are, `quarters` when their fiscal periods end, `statements` what their books say and
`filings` when it became known; the other modules are one relation each. Amounts are million USD, share numbers
millions, per-share figures USD; balance sheets and flows add up to the last digit.
"""
