"""Makes public objects show the module that users import them from."""

from collections.abc import Callable
from typing import TypeVar

__all__ = ["export"]

_Object = TypeVar("_Object")


def export(module: str) -> Callable[[_Object], _Object]:
    """Sets an object's `__module__` to the public `module`.

    Pickles and configurations of Keras layers contain this name, so they survive changes of the
    private modules.
    """

    def set_module(thing: _Object) -> _Object:
        thing.__module__ = module
        return thing

    return set_module
