"""A hospital's own authority vouches for its server where the settings name it, and nobody else's does."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cds_service.app import clients_of
from cds_service.errors import SettingsError
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.connections import Reach
from cds_service.fetching.deadline import Deadline
from cds_service.settings import Settings
from tests.support import tokens

SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def certificate(name: str, key, issuer: str, issuer_key, *extensions: x509.ExtensionType) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    for extension in (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), *extensions):
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(issuer_key, SHA256())


def authority(folder: Path, name: str) -> tuple[Path, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    path = folder / f"{name}.pem"
    extensions = (x509.BasicConstraints(ca=True, path_length=None), SIGNS_CERTIFICATES)
    made = certificate(name, key, name, key, *extensions)
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return path, key


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """The authority's file, and the base URL of a server for which it vouches."""
    with served(tmp_path) as server:
        yield server


@contextmanager
def served(tmp_path: Path, *, names_its_issuer: bool = True) -> Iterator[tuple[Path, str]]:
    bundle, authority_key = authority(tmp_path, "hospital")
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    extensions = (names, issuer) if names_its_issuer else (names,)
    own = certificate("fhir", key, "hospital", authority_key, *extensions).public_bytes(Encoding.PEM)
    path = tmp_path / "server.pem"
    path.write_bytes(own + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = HTTPServer(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield bundle, f"https://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


def read(base_url: str, bundle: Path | None) -> object:
    session = open_session(1, Reach(ca_bundle=bundle))
    try:
        return FhirClient(session, base_url, "", 1000).read("metadata", Deadline.after(5))
    finally:
        session.close()


def test_its_server_is_read(hospital):
    bundle, base_url = hospital
    settings = Settings.from_environment({"CDS_CA_BUNDLE": str(bundle)})
    assert read(base_url, settings.ca_bundle) == {}


def test_without_it_or_with_another_the_server_is_not_read(hospital, tmp_path):
    another, _ = authority(tmp_path, "another")
    for bundle in (None, another):
        with pytest.raises(FetchError, match="tls_failed"):
            read(hospital[1], bundle)


def test_a_certificate_that_does_not_name_its_authoritys_key_is_never_trusted(tmp_path):
    with (
        served(tmp_path, names_its_issuer=False) as (bundle, base_url),
        pytest.raises(FetchError, match="tls_failed"),
    ):
        read(base_url, bundle)


def test_the_name_of_the_server_still_counts(hospital):
    """The certificate is for 127.0.0.1 and not for the name of the same machine."""
    bundle, base_url = hospital
    with pytest.raises(FetchError, match="tls_failed"):
        read(base_url.replace("127.0.0.1", "localhost"), bundle)


def test_authorities_are_read_once_and_not_with_each_connection(hospital, monkeypatch):
    """The server closes each connection once it has answered."""
    bundle, base_url = hospital
    with open_session(1, Reach(ca_bundle=bundle)) as session:
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", pytest.fail)
        client = FhirClient(session, base_url, "", 1000)
        assert [client.read("metadata", Deadline.after(5)) for _ in range(2)] == [{}, {}]


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_authorities_stops_the_start(tmp_path, content):
    path = tmp_path / "bundle.pem"
    path.write_text(content)
    with pytest.raises(SettingsError, match="CDS_CA_BUNDLE: expected certificates of authorities"):
        Settings.from_environment({"CDS_CA_BUNDLE": str(path)})


def test_the_keys_of_a_client_are_fetched_from_such_a_server(hospital, tmp_path, caplog):
    bundle, base_url = hospital
    path = tokens.clients_file(tmp_path, tokens.entry_a(keys="", jku=f"{base_url}/keys"))
    given = {"CDS_CLIENTS": str(path), "CDS_PUBLIC_URL": tokens.PUBLIC_URL}
    for setting, reason in (({}, "tls_failed"), ({"CDS_CA_BUNDLE": str(bundle)}, "no JWK Set")):
        caplog.clear()
        clients = clients_of(Settings.from_environment(given | setting))
        assert clients
        clients.by_issuer[tokens.ISSUER_A, ""].keys.find("any", "ES384")
        clients.close()
        (record,) = caplog.records
        assert record.reason.startswith(reason)
