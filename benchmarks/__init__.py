"""Measurements. Nothing here is part of the service, and no test asserts a time."""
