"""Outcome: the stage that settles ended calls."""
