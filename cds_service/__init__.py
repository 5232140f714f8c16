"""The medication decision-support service."""

__version__ = "0.1.0"
