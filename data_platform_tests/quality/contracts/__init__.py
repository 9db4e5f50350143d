"""Tests of contracts: the rules of the catalog, each kind of rule, and bad input."""
