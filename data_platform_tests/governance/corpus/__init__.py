"""What people try at the governed door: a corpus of attacks, one of queries, and statements drawn from a grammar.

`attacks/` and `queries/` hold one file for each family: a line `-- <id> <why>`, then the statement. `reading` reads
them, `shapes` tells whether two are the same tree, `plain` is a DuckDB without any door in which each attack has to
succeed, `bombs` the same for those that only use up the machine, `door` the service that has to withstand them, and
`rows` compares answers. `grammar` draws SELECT statements. `decided.txt` holds the functions that are refused, by
reason.
"""
