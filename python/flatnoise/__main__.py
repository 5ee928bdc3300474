"""``python -m flatnoise`` reports what is installed and what is in use, with reasons.

With ``--json``, it prints one JSON object for bug reports.
"""

from flatnoise._src.report import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
