"""Drug codes and names to ingredients. `open_index` gives the `DrugIndex` of the service."""

from cds_service.terminology.index import open_index

__all__ = ["open_index"]
