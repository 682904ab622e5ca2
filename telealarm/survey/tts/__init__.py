"""Text to speech: engines, rendered prompts and their cache."""
