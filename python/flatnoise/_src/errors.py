"""Errors about arguments, worded as in Keras."""

from collections.abc import Iterable
from typing import Any

__all__ = ["check_choice", "invalid_value", "invalid_values", "listed"]


def invalid_value(argument: str, expected: str, received: Any) -> ValueError:
    """The error for an argument with an invalid value."""
    return ValueError(
        f"Invalid value received for argument `{argument}`. Expected {expected}. "
        f"Received: {argument}={received}"
    )


def invalid_values(expected: str, received: dict[str, Any]) -> ValueError:
    """The error for one or more arguments whose values don't satisfy a rule."""
    if len(received) == 1:
        ((argument, value),) = received.items()
        return invalid_value(argument, expected, value)
    arguments = " and ".join(f"`{argument}`" for argument in received)
    return ValueError(
        f"Invalid values received for arguments {arguments}. Expected {expected}. "
        f"Received: {listed(received)}"
    )


def listed(values: dict[str, Any]) -> str:
    """Formats values as in `minval=0, maxval=1`."""
    return ", ".join(f"{argument}={value}" for argument, value in values.items())


def check_choice(argument: str, value: Any, choices: Iterable[str]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    choices = tuple(choices)
    if value not in choices:
        listed = ", ".join(f"'{choice}'" for choice in choices)
        raise invalid_value(argument, f"one of {listed}", repr(value))
