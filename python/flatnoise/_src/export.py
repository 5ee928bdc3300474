"""Public objects show the module that users import them from."""

from collections.abc import Callable
from typing import TypeVar

__all__ = ["export"]

_Object = TypeVar("_Object")


def export(module: str) -> Callable[[_Object], _Object]:
    """Makes an object say that it belongs to the public `module`.

    Configurations of Keras layers and pickles name that module, so that they outlive changes of
    the private ones.
    """

    def set_module(thing: _Object) -> _Object:
        thing.__module__ = module
        return thing

    return set_module
