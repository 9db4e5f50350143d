"""The demo's data library: the market's own factors and industries, as files in the site's format.

`published` holds the factors as they are printed, which the relations of `ff` repeat.
"""

from __future__ import annotations

from data_platform.sources.demo.library.files import NOTICE, library_files

__all__ = ["NOTICE", "library_files"]
