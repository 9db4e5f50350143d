"""Tests of keeping processes alive."""
