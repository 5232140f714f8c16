"""The SQLite file that an import makes and the index reads."""

from __future__ import annotations

APPLICATION_ID = 0x43445354
"""`CDST`: marks the file as ours."""
LAYOUT_VERSION = 1

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE concept (
    rxcui INTEGER PRIMARY KEY, tty TEXT NOT NULL, name TEXT NOT NULL, in_use INTEGER NOT NULL
);
CREATE TABLE ingredient (
    rxcui INTEGER NOT NULL REFERENCES concept, ingredient INTEGER NOT NULL REFERENCES concept,
    PRIMARY KEY (rxcui, ingredient)
) WITHOUT ROWID;
CREATE TABLE code (
    system TEXT NOT NULL, code TEXT NOT NULL, rxcui INTEGER NOT NULL REFERENCES concept,
    PRIMARY KEY (system, code, rxcui)
) WITHOUT ROWID;
CREATE TEMP TABLE edge (
    source INTEGER NOT NULL, target INTEGER NOT NULL, PRIMARY KEY (source, target)
) WITHOUT ROWID;
CREATE TEMP TABLE replaced (
    rxcui INTEGER NOT NULL, now INTEGER NOT NULL, PRIMARY KEY (rxcui, now)
) WITHOUT ROWID;
"""
