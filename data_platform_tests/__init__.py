"""The tests. They mirror the source tree and run on real parts: PostgreSQL, processes, sockets, files."""
