"""``python -m flatnoise`` prints what is installed here, what of it is in use, and why not more.

With ``--json`` as one JSON object, for reports of errors.
"""

from flatnoise._src.report import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
