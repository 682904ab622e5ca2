"""Ready examples: what `telealarm example NAME` makes, in the words of the API."""
