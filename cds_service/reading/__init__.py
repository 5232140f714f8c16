"""FHIR resources to the words of the model. Pure; the only folder that says what a resource means."""

from cds_service.reading.whole_record import Read, read

__all__ = ["Read", "read"]
