"""Calendar feeds: what their polls store, and the orders for their sources."""
