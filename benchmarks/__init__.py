"""Measurements. Nothing here is a test."""
