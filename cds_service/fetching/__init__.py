"""Gets what a request needs: from its prefetch, then from the FHIR server, under one deadline.

What comes back are raw resources with what became of each query (`QueryResult`); late, refused and broken are
values and never an empty result.
"""
