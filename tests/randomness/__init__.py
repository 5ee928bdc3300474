"""A battery of statistical tests of the stream and of the layers' noise."""
