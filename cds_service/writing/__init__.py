"""Findings to cards: the only place that makes FHIR resources and sentences. All sentences stand in `cards/`."""

from cds_service.writing.cards import explain, write
from cds_service.writing.wording import Wording, load_wording

__all__ = ["Wording", "explain", "load_wording", "write"]
