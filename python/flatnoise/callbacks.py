"""Callbacks that change noise levels during training."""

from flatnoise._src.callbacks import NoiseSchedule

__all__ = ["NoiseSchedule"]
