"""What a survey session reads and keeps."""
