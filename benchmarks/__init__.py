"""Measurements, one a file: `python -m benchmarks.NAME`. Nothing here is a test."""
