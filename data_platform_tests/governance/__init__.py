"""Tests of data_platform.governance."""
