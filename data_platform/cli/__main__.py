"""`python -m data_platform.cli` is `data-platform`."""

from data_platform.cli.entry import run

if __name__ == "__main__":
    run()
