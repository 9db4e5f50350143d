"""Twelve kinds of fault put into clean partitions, and how many of them the detectors find.

Here belong how large each fault is (`severities`, fixed before the detectors were tuned), where clean partitions come
from (`synthetic`, `real`), how a fault is put in (`rows`, `prices`, `columns`) and the counting (`scoring`). How faults
are found belongs to `data_platform/quality/anomalies`. `python -m benchmarks.quality_faults` measures.
"""
