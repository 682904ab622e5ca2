"""What the messaging stage claims, and how its messages end."""
