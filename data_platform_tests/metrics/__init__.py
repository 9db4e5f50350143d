"""Counting across processes."""
