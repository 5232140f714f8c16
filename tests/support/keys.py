"""Under which prefetch key a client that fills our templates sends a result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cds_service.model import Query
from cds_service.offered import result_codes
from tests.support.world import service


def key_of(result: Mapping[str, Any]) -> str:
    """The key whose query asks for the code of `result`."""
    codes = {coding.get("code") for coding in result.get("code", {}).get("coding", ())}
    query = Query.RESULTS if codes.isdisjoint(_of_tumours()) else Query.TUMOUR_RESULTS
    return query.value


@cache
def _of_tumours() -> frozenset[str]:
    return frozenset(coding.code for coding in result_codes(service())[Query.TUMOUR_RESULTS])
