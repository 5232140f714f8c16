"""The knowledge held against an export of CPIC (`cds-service knowledge compare`)."""

from cds_service.knowledge.comparison.differences import Comparison, DifferenceKind, compare

__all__ = ["Comparison", "DifferenceKind", "compare"]
