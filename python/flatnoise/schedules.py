"""Schedules for noise levels, as functions of the step or epoch."""

from flatnoise._src.schedules import Constant, Cosine, Linear

__all__ = ["Constant", "Cosine", "Linear"]
