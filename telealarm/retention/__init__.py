"""What is not kept: erasures of persons, and what has reached its age."""
