"""Callbacks that change the noise while a model is trained."""

from flatnoise._src.callbacks import NoiseSchedule

__all__ = ["NoiseSchedule"]
