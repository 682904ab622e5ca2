"""The resources, one noun a file."""
