"""Measurements beside the official SDK: `python -m benchmarks --help`."""
