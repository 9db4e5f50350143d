"""Tests of how rows arrive: real servers, real sockets, real files."""
