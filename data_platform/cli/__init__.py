"""The `data-platform` command: reading arguments, calling the rooms above, showing what came of it.

One module per command or group of commands; `output` is how anything is printed. Standard output carries data only
(with `--json` exactly one document), standard error everything said to a person. No rule of the platform is decided
here.
"""
