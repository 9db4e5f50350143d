"""The HTTP interface, over real sockets and in this process."""
