"""Benchmarks against the official SDK: `python -m benchmarks --help`."""
