"""What CDS Hooks says: discovery, requests, responses, feedback. No HTTP library, no FHIR reading."""
