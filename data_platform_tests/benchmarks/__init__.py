"""Tests of the benchmarks: a figure is worth something only when what made it is right."""
