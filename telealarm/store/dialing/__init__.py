"""The dialing stage: admission, caps, gateways, calls."""
