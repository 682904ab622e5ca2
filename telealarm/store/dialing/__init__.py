"""What the stage dialing claims: admission, caps, gateways, calls."""
