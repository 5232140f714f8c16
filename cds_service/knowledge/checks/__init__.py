"""Proofs that the knowledge is whole (`cds-service knowledge check`)."""

from cds_service.knowledge.checks.whole import check

__all__ = ["check"]
