"""What a survey session reads and saves."""
