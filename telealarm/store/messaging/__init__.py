"""What the stage messaging claims, and what became of it."""
