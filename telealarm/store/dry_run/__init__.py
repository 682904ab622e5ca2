"""What would be called, put off or left out. Reads only."""
