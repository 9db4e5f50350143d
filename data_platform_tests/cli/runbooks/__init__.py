"""The runbooks, run: every command of every page, in the page's order, with the outcome that the page states."""
