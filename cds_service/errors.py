"""The errors that pass from one room to another, named by meaning.

    CdsError
    ├── SettingsError          a setting is missing or has an impossible value (at start)
    ├── KeySetError            a client's JWK Set, or a key in it, cannot be used
    ├── KnowledgeError         the knowledge cannot be loaded or contradicts itself (at start)
    ├── TerminologyError       drug files to import, or the file made of them, cannot be used
    ├── PolicyError            the site's policy file is not valid (at start or reload)
    ├── RequestError           the caller's request cannot be used; carries an HTTP status
    │   └── RateError          the caller calls too often (`web.rates`)
    ├── Unauthenticated        the caller did not prove who it is; is told no more than that
    ├── FetchError             a read from another server gave nothing usable (`fetching.client`)
    └── AnswerError            what we would send out is not valid (never sent)

A message says what was found, what was expected, where, and what to do. It holds no patient data.
The database's errors are SQLAlchemy's (`store.StoreError`).
"""

from __future__ import annotations


class CdsError(Exception):
    """Root of the tree."""


class SettingsError(CdsError):
    """A setting is missing or has an impossible value."""


class KeySetError(CdsError):
    """A client's JWK Set, or a key in it, cannot be used. The message quotes nothing of it."""


class KnowledgeError(CdsError):
    """The knowledge cannot be loaded or contradicts itself."""


class TerminologyError(CdsError):
    """Drug files to import, or the file made of them, cannot be used."""


class PolicyError(CdsError):
    """The site's policy is not valid."""


class AnswerError(CdsError):
    """What we would send out is not valid."""


class RequestError(CdsError):
    """The caller's request cannot be used.

    `status` is the HTTP status to answer with, `code` the FHIR issue type
    (http://hl7.org/fhir/ValueSet/issue-type), `expression` where in the request the fault is.
    """

    def __init__(self, status: int, code: str, message: str, expression: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.expression = expression


class Unauthenticated(CdsError):
    """The caller did not prove who it is. `reason` is a stable key for our log; `client` the configured name of
    the client that the token claims to be of, where there is such a one.
    """

    def __init__(self, reason: str, client: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client
