"""Types of fields: from what a client sent to what a row holds, and back."""
