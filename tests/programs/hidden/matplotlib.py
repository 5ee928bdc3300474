"""In place of the installed package: see `environment` in `processes.py`."""

raise ImportError("hidden from this process")
