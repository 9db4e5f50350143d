"""Tests of the alerting room, on real servers."""
