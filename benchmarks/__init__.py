"""Benchmarks: what the platform costs, beside what others do, measured on the machine at hand.

Every store runs in a process of its own and answers a small protocol; peers live in a second virtual environment, so
that their pins never decide ours. Nothing here is part of the platform, and nothing of the platform imports it.
"""
