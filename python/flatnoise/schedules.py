"""Schedules for levels of noise, as functions of the step or the epoch."""

from flatnoise._src.schedules import Constant, Cosine, Linear

__all__ = ["Constant", "Cosine", "Linear"]
