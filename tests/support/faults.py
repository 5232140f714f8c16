"""What FHIR servers do wrong, each as a script of the fault server, with what must become of a read.

`sound` tells the record of one made-up patient; a fault is done to every answer of it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cds_service.model import Availability
from tests.support.bundles import searchset
from tests.support.fault_server import Exchange, Script

Json = dict[str, Any]

PATIENT_ID = "made-up-p1"
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
POOR_METABOLISER = {
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "79714-2"}], "text": "CYP2C19 phenotype"},
    "valueCodeableConcept": {
        "coding": [{"system": "http://loinc.org", "code": "LA9657-3", "display": "Poor metabolizer"}]
    },
}
ACETAMINOPHEN = {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "acetaminophen"}}
NO_ENCODING = {"Content-Encoding": "x-unheard-of"}
MIB = 1024 * 1024


def resource(kind: str, subject: Json = SUBJECT) -> Json:
    """The patient's one resource of a type."""
    if kind == "Patient":
        return {"resourceType": kind, "id": PATIENT_ID, "birthDate": "1970-05-01"}
    if kind == "Medication":
        return {"resourceType": kind, "id": "m1", "code": {"text": "clopidogrel 75 MG Oral Tablet"}}
    patient = "patient" if kind in ("AllergyIntolerance", "FamilyMemberHistory") else "subject"
    content: Json = {"Observation": POOR_METABOLISER, "MedicationRequest": ACETAMINOPHEN}.get(kind, {})
    return {"resourceType": kind, "id": f"{kind.lower()}-1", patient: subject} | content


def kind_of(exchange: Exchange) -> str:
    return exchange.target.removeprefix("/fhir/").split("?")[0].split("/")[0]


def is_single(exchange: Exchange) -> bool:
    return kind_of(exchange) in ("Patient", "Medication")


def good(exchange: Exchange) -> Json:
    found = resource(kind_of(exchange))
    return found if is_single(exchange) else searchset(found, total=1)


def body_of(value: object) -> bytes:
    return json.dumps(value).encode()


def sound(exchange: Exchange) -> None:
    """No fault at all."""
    exchange.answer(body_of(good(exchange)))


@dataclass(frozen=True)
class Fault:
    """`single` is the reason of a read of one resource where it is another than of a search. `waits`: only the
    deadline ends the read. `on_bytes`: a megabyte or more arrives or would be made of what arrives.
    """

    name: str
    script: Script
    reason: str = ""
    single: str | None = None
    availability: Availability = Availability.FAILED
    waits: bool = False
    on_bytes: bool = False

    @property
    def single_reason(self) -> str:
        return self.reason if self.single is None else self.single


FAULTS: list[Fault] = []


def fault(reason: str, **said: Any) -> Callable[[Script], Script]:
    """Register a script, named by its function, with what must become of a read."""

    def register(script: Script) -> Script:
        name = said.pop("name", script.__name__)
        FAULTS.append(Fault(name, script, reason, **said))
        return script

    return register


def answering(name: str, body: bytes | Callable[[Exchange], bytes], reason: str, **said: Any) -> None:
    """A fault that is an answer with another body, status or header."""
    status, headers = said.pop("status", "200 OK"), said.pop("headers", {})

    def script(exchange: Exchange) -> None:
        exchange.answer(body if isinstance(body, bytes) else body(exchange), status, headers)

    fault(reason, name=name, **said)(script)


def of_good(change: Callable[[Json], object]) -> Callable[[Exchange], bytes]:
    return lambda exchange: body_of(change(good(exchange)))


COMPLETE, PARTIAL = Availability.COMPLETE, Availability.PARTIAL


@fault("late", waits=True)
def silent_after_accept(exchange: Exchange) -> None:
    exchange.hang()


@fault("late", waits=True)
def silent_after_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
    exchange.hang()


@fault("late", waits=True)
def silent_in_the_middle(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{"resourceType":')
    exchange.hang()


@fault("late", waits=True)
def a_byte_every_0_4_s(exchange: Exchange) -> None:
    exchange.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0.4)


@fault("late", waits=True)
def status_line_trickles(exchange: Exchange) -> None:
    exchange.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0.03)


@fault("late", waits=True)
def body_trickles(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n")
    exchange.trickle(b" " * 2000, 0.03)


@fault("late", waits=True)
def body_of_unsaid_length_trickles(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
    exchange.trickle(b" " * 2000, 0.03)


@fault("late", waits=True)
def chunks_trickle(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(400):
        exchange.send(b"1\r\n \r\n")
        if exchange.stopping.wait(0.03):
            return


@fault("late", waits=True)
def size_of_a_chunk_trickles(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.trickle(b"0" * 2000, 0.03)


@fault("late", waits=True)
def continues_without_end(exchange: Exchange) -> None:
    while not exchange.stopping.wait(0.02):
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")


@fault("late", waits=True)
def compressed_body_stops(exchange: Exchange) -> None:
    body = gzip.compress(body_of(good(exchange)))
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.send(b"%x\r\n%b\r\n" % (len(body) // 2, body[: len(body) // 2]))
    exchange.hang()


@fault("unreachable")
def closed_at_once(exchange: Exchange) -> None:
    exchange.end()


@fault("unreachable")
def reset_at_once(exchange: Exchange) -> None:
    exchange.reset()


@fault("unreachable")
def reset_in_the_middle(exchange: Exchange) -> None:
    exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{"resourceType": "Bund')
    exchange.stopping.wait(0.02)
    exchange.reset()


@fault("", availability=COMPLETE)
def reset_once_then_fine(exchange: Exchange) -> None:
    if exchange.attempt == 1:
        exchange.reset()
    sound(exchange)


@fault("broken_off")
def says_more_than_it_sends(exchange: Exchange) -> None:
    exchange.answer(body_of(good(exchange)), headers={"Content-Length": "5000"})
    exchange.end()


@fault("not_json")
def says_less_than_it_sends(exchange: Exchange) -> None:
    exchange.answer(body_of(good(exchange)), headers={"Content-Length": "20"})
    exchange.end()


@fault("not_json")
def length_is_no_number(exchange: Exchange) -> None:
    exchange.answer(body_of(good(exchange))[:-3], headers={"Content-Length": "many"})
    exchange.end()


@fault("broken_off")
def chunked_body_ends_early(exchange: Exchange) -> None:
    body = body_of(good(exchange))
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(body) + 9, body))
    exchange.end()


@fault("broken_off")
def size_of_a_chunk_is_garbage(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
    exchange.end()


@fault("broken_off", on_bytes=True)
def size_of_a_chunk_never_ends(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(64):
        exchange.send(b"0" * MIB)


@fault("broken_off")
def http_0_9(exchange: Exchange) -> None:
    exchange.send(b'{"resourceType": "Bundle"}\r\n')
    exchange.end()


@fault("broken_off")
def noise(exchange: Exchange) -> None:
    exchange.send(bytes(range(256)) * 40)
    exchange.end()


@fault("broken_off")
def many_headers(exchange: Exchange) -> None:
    exchange.answer(body_of(good(exchange)), headers={f"X-Header-{n}": "x" for n in range(5000)})


@fault("broken_off", on_bytes=True)
def a_header_of_a_megabyte(exchange: Exchange) -> None:
    exchange.answer(body_of(good(exchange)), headers={"X-Long": "x" * MIB})


@fault("unreadable")
def switches_protocols(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    exchange.end()


def _bomb(wbits: int) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(squeezer.compress(b" " * MIB) for _ in range(200)) + squeezer.flush()


GZIP_BOMB, ZLIB_BOMB = _bomb(31), _bomb(15)
answering("gzip_bomb", GZIP_BOMB, "too_large", headers={"Content-Encoding": "gzip"}, on_bytes=True)
answering("deflate_bomb", ZLIB_BOMB, "too_large", headers={"Content-Encoding": "deflate"}, on_bytes=True)
answering(
    "gzip_bomb_in_gzip",
    gzip.compress(GZIP_BOMB),
    "unreadable",
    headers={"Content-Encoding": "gzip, gzip"},
    on_bytes=True,
)


answering("huge_bundle", body_of(searchset(surplus="x" * (3 * MIB))), "too_large", on_bytes=True)
answering("half_a_million_arrays", b'{"a": [' + b"[]," * 500_001 + b"1]}", "too_large", on_bytes=True)


@fault("too_large", on_bytes=True)
def body_without_end(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not exchange.stopping.is_set():
        exchange.send(b" " * MIB)


@fault("unreadable", on_bytes=True)
def compressed_body_with_an_endless_tail(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(body_of(good(exchange))))
    while not exchange.stopping.is_set():
        exchange.send(b"\0" * MIB)


answering("truncated_json", lambda exchange: body_of(good(exchange))[:-5], "not_json")
answering("a_name_twice", lambda exchange: b'{"resourceType": "List", ' + body_of(good(exchange))[1:], "unreadable")
answering("html", b"<!doctype html><title>Sign in</title>", "not_json", headers={"Content-Type": "text/html"})
answering("xml", b'<Bundle xmlns="http://hl7.org/fhir"/>', "not_json")
answering("empty_body", b"", "not_json")
answering("text_plain", of_good(dict), "", availability=COMPLETE, headers={"Content-Type": "text/plain"})
answering("no_content", b"", "unreadable", status="204 No Content")
answering("partial_content", of_good(dict), "unreadable", status="206 Partial Content")
answering("accepted", of_good(dict), "unreadable", status="202 Accepted")
answering("gzip_that_is_none", of_good(dict), "broken_off", headers={"Content-Encoding": "gzip"})
answering("gzip_unsaid", lambda e: gzip.compress(body_of(good(e))), "not_json")
answering("unknown_encoding", of_good(dict), "unreadable", headers=NO_ENCODING)
answering(
    "gzip_cut_short",
    lambda e: gzip.compress(body_of(good(e)))[:-9],
    "broken_off",
    headers={"Content-Encoding": "gzip"},
)
answering(
    "gzip_as_it_should_be",
    lambda e: gzip.compress(body_of(good(e))),
    "",
    availability=COMPLETE,
    headers={"Content-Encoding": "gzip"},
)
answering("nested_deeply", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not_json")
answering("not_a_number", lambda e: body_of(good(e) | {"x": float("nan")}), "not_json")
answering("huge_integer", lambda e: body_of(good(e))[:-1] + b', "x": ' + b"9" * 400 + b"}", "not_json")
answering("invalid_utf_8", lambda e: body_of(good(e))[:-1] + b', "x": "\xff\xfe"}', "not_json")
answering("utf_16", lambda e: json.dumps(good(e)).encode("utf-16"), "not_json")
answering("byte_order_mark", lambda e: b"\xef\xbb\xbf" + body_of(good(e)), "", availability=COMPLETE)
answering("json_array", of_good(lambda found: [found]), "unreadable")
answering("json_null", b"null", "unreadable")
answering("json_text", b'"Bundle"', "unreadable")
answering("json_without_a_type", b"{}", "unreadable")


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}
OTHER = {"reference": "Patient/made-up-p2"}

answering("outcome_with_200", body_of(OUTCOME), "refused", single="unreadable")
answering("bundle_of_outcomes", body_of(searchset(OUTCOME)), "refused", availability=PARTIAL, single="unreadable")
answering("other_type", body_of({"resourceType": "Basic", "id": "b1"}), "unreadable")
answering(
    "bundle_of_another_type",
    body_of(searchset({"resourceType": "Basic", "id": "b1"})),
    "unreadable",
    availability=PARTIAL,
)
answering("entries_are_no_list", body_of({"resourceType": "Bundle", "entry": {"resource": {}}}), "unreadable")
answering(
    "entries_without_resources",
    body_of(searchset() | {"entry": [{}, 7, None, {"resource": "x"}]}),
    "unreadable",
    availability=PARTIAL,
)
answering(
    "total_is_larger",
    lambda e: body_of(searchset(resource(kind_of(e)), total=9)),
    "fewer_than_total",
    availability=PARTIAL,
    single="unreadable",
)
answering(
    "r5", of_good(dict), "unsupported_version", headers={"Content-Type": "application/fhir+json; fhirVersion=5.0"}
)
answering("sets_cookies", of_good(dict), "", availability=COMPLETE, headers={"Set-Cookie": "session=1; Path=/"})


@fault("wrong_patient", availability=PARTIAL, single="unreadable")
def another_patient(exchange: Exchange) -> None:
    found = resource(kind_of(exchange), OTHER)
    exchange.answer(body_of(found | {"id": "made-up-p2"} if is_single(exchange) else searchset(found)))


def paged(name: str, link: Callable[[Exchange], str], reason: str) -> None:
    """A first page with the patient's resource and a link to the next; each following page has the same link."""

    def body(exchange: Exchange) -> bytes:
        kind = exchange.target.removeprefix("/fhir/").removeprefix("/fhir?kind=").split("/")[0].split("?")[0]
        content = [resource(kind.split("&")[0])] if "page=" not in exchange.target else []
        return body_of(searchset(*content, link=[{"relation": "next", "url": link(exchange)}]))

    answering(name, body, reason, availability=PARTIAL, single="unreadable")


def _next(exchange: Exchange, base: str = "") -> str:
    return f"{base or exchange.base_url}?kind={kind_of(exchange)}&page=2"


paged("endless_pages", lambda e: f"{e.base_url}/{kind_of(e)}?page={len(e.target)}{'1' * len(e.target)}", "more_pages")
paged("page_that_leads_to_itself", lambda e: f"{e.base_url}/{kind_of(e)}?page=2", "more_pages")
paged("next_page_elsewhere", lambda e: "http://elsewhere.example.org/fhir?page=2", "foreign_link")
paged("next_page_with_userinfo", lambda e: _next(e, e.base_url.replace("://", "://a:b@")), "foreign_link")
paged("next_page_above", lambda e: f"{e.base_url}/../admin?page=2", "foreign_link")
paged("next_page_of_another_scheme", lambda e: "file:///etc/hostname", "foreign_link")
paged("next_page_is_no_address", lambda e: "http://[", "foreign_link")


for _status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):

    @fault("redirected", name=f"redirect_{_status[:3]}")
    def redirect(exchange: Exchange, status: str = _status) -> None:
        exchange.answer(b"", status, {"Location": f"{exchange.base_url}/redirected"})

    answering(
        f"redirect_{_status[:3]}_elsewhere",
        b"",
        "redirected",
        status=_status,
        headers={"Location": "http://192.0.2.1/"},
    )

for _code, _reason in {
    400: "not_accepted",
    401: "token_refused",
    403: "refused",
    404: "not_found",
    406: "not_accepted",
    410: "not_found",
    422: "not_accepted",
    500: "server_error",
    502: "server_error",
    503: "server_error",
    504: "server_error",
    599: "server_error",
}.items():
    answering(f"status_{_code}", body_of(OUTCOME), _reason, status=f"{_code} Said")
answering("status_429", b"", "busy", status="429 Too Many Requests", headers={"Retry-After": "1"})
answering("status_503_later", b"", "server_error", status="503 Unavailable", headers={"Retry-After": "120"})


@fault("", availability=COMPLETE)
def status_503_once_then_fine(exchange: Exchange) -> None:
    if exchange.attempt == 1:
        exchange.answer(b"", "503 Unavailable", {"Retry-After": "0"})
    else:
        sound(exchange)
