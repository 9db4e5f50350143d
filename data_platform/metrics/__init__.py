"""What is counted while the platform works: declared once, counted where it happens, kept across processes.

What belongs here: the declarations (`declared`), a typed function for each thing that is counted (`counting`), the file
that each process counts in (`keeping`), the sum over all processes that live or lived (`folding`), and that sum in
Prometheus's terms (`collecting`). What can be read from the records or the warehouse is not counted: whoever answers a
scrape reads it then. Labels are names of accounts, datasets and tables and members of closed sets; never a query's
text, a row or a path. Nothing here may break what is counted: a count that can't be kept is lost, and that is all.
"""
