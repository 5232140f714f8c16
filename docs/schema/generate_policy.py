"""Writes the JSON Schema of policy files beside this file: `python docs/schema/generate_policy.py`."""

from __future__ import annotations

import json
from pathlib import Path

from cds_service.policy import policy_schema

TARGET = Path(__file__).with_name("policy.schema.json")

if __name__ == "__main__":
    TARGET.write_text(json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
