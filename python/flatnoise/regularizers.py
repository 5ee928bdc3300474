"""Regularizers for the level of learned noise."""

from flatnoise._src.regularizers import NoiseEntropy

__all__ = ["NoiseEntropy"]
