"""The resources: one file for each noun."""
