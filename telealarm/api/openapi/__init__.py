"""The OpenAPI document, written from the resources."""
