"""Tests of the records room, on real servers."""
