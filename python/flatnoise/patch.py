"""``python -m flatnoise.patch app.py`` runs a program with `flatnoise.patch_keras`.

``python -m flatnoise.patch -m package.module`` runs a module. Further arguments go to the program.
"""

from flatnoise._src.patch_main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
