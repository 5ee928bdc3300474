"""Regularizers for learned noise levels."""

from flatnoise._src.regularizers import NoiseEntropy

__all__ = ["NoiseEntropy"]
