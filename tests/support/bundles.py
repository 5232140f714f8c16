"""Bundles of resources, as prefetch and servers send them."""

from __future__ import annotations

from typing import Any


def bundle(*resources: Any, **fields: Any) -> dict[str, Any]:
    """A Bundle of the resources; `fields` are its own."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources], **fields}


def searchset(*resources: Any, **fields: Any) -> dict[str, Any]:
    """What a server answers to a search."""
    return bundle(*resources, type="searchset", **fields)
