"""Tests of `governance/explorer`."""
