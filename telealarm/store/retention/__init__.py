"""What has reached its age, kind by kind, and its deletion some rows at a time."""
