"""Settings are right or every fault of them is named, at start."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings


def test_without_anything_set_the_defaults_hold():
    assert Settings.from_environment({"PATH": "/bin"}) == Settings()


def test_settings_come_from_the_environment(tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: site")
    settings = Settings.from_environment(
        {
            "CDS_DEVELOPMENT": "true",
            "CDS_POLICY": str(policy),
            "CDS_ANSWER_BUDGET_MS": "900",
            "CDS_FHIR_SERVERS": "http://a.example.org/fhir/, https://b.example.org",
        }
    )
    assert settings.development
    assert settings.policy == policy
    assert settings.answer_budget_ms == 900
    assert settings.fhir_servers == ("http://a.example.org/fhir", "https://b.example.org")


def test_a_secret_comes_from_a_file(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://u:p@db/cds\n")
    settings = Settings.from_environment({"CDS_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == "postgresql+psycopg://u:p@db/cds"


def faults(environment):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environment)
    return str(caught.value).splitlines()


def test_every_fault_is_named_at_once():
    told = faults({"CDS_DEVELOPMENT": "maybe", "CDS_ANSWER_BUDGET_MS": "fast", "CDS_LOG_LEVEL": "loud"})
    assert [line.split(":")[0] for line in told] == ["CDS_ANSWER_BUDGET_MS", "CDS_DEVELOPMENT", "CDS_LOG_LEVEL"]


@pytest.mark.parametrize(
    "environment",
    [
        {"CDS_ANSWER_BUDGET": "450"},
        {"CDS_POLICY": "/no/such/file.yaml"},
        {"CDS_POLICY_FILE": "/no/such/file.yaml"},
        {"CDS_FHIR_SERVERS": "ehr.example.org"},
        {"CDS_CORS_ORIGIN": ""},
        {"CDS_CORS_ORIGIN": "ehr"},
        {"CDS_CORS_ORIGIN": "https://a.example.org, https://b.example.org"},
        {"CDS_CORS_ORIGIN": "https://a.example.org/path"},
        {"CDS_DATABASE_URL": "sqlite+foo:///x"},
        {"CDS_DATABASE_URL": "postgresql+psycopg://u:p@host:port/x"},
        {"CDS_FHIR_SERVERS": "http://ehr.example.org"},
        {"CDS_ANSWER_BUDGET_MS": "100", "CDS_EVALUATION_RESERVE_MS": "100"},
        {"CDS_TERMINOLOGY": "/no/such/file.sqlite"},
        {"CDS_RXNAV_URL": "http://rxnav.example.org/REST"},
        {"CDS_RXNAV_URL": "https://a.example.org,https://b.example.org"},
        {"CDS_RXNAV_URL": "https://a.example.org/REST,https://b.example.org/REST"},
        {"CDS_RXNAV_URL": "https://rxnav.example.org/REST", "CDS_RXNAV_TIMEOUT_MS": "120"},
        {"CDS_FETCH_WORKERS": "0"},
        {"CDS_DATABASE_URL": "mysql://db"},
        {"CDS_CLIENTS": "/no/such/file.yaml"},
        {"CDS_POLICY": "x" * 300},
        {"CDS_POLICY": "/"},
        {"CDS_PUBLIC_URL": "http://cds.example.org"},
        {"CDS_PUBLIC_URL": "cds.example.org"},
        {"CDS_PUBLIC_URL": "https://cds.example.org/pgx?site=1"},
        {"CDS_PUBLIC_URL": "https://cds.example.org/?"},
        {"CDS_PUBLIC_URL": "https://cds.example.org/pgx#x"},
        {"CDS_PUBLIC_URL": "https://cds.example.org/pgx/cds-services/"},
        {"cds_log_level": "INFO"},
        {"CDS_Log_Level": "INFO"},
        {"CDS_LOG_LEVEL": "INFO", "CDS_LOG_level": "ERROR"},
        {"CDS_DATABASE_URL": "sqlite"},
        {"CDS_DATABASE_URL": "postgresql+psycopg://u:p@db:port/cds"},
        {"CDS_LONGEST_TOKEN_S": "86400"},
        {"CDS_CALLS_PER_SECOND": "0"},
        {"CDS_MOST_ENTRIES": "0"},
        {"CDS_TIME_ZONE": "Mars/Olympus_Mons"},
        {"CDS_TIME_ZONE": "../../etc/passwd"},
        {"CDS_TIME_ZONE": "Europe"},
    ],
)
def test_what_cannot_be_meant_is_refused(environment):
    (told,) = faults(environment)
    assert told.upper().startswith("CDS_")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CDS_PUBLIC_URL", "cds.example.org"),
        ("CDS_PUBLIC_URL_FILE", "/no/such/file"),
        ("CDS_ANSWER_BUDGET_MS", "1s"),
    ],
)
def test_a_faulty_setting_is_told_once(tmp_path, setting, value):
    """And not again by what it would mean for others had it been left out."""
    clients = tmp_path / "clients.yaml"
    clients.write_text("clients: []")
    good = {"CDS_CLIENTS": str(clients), "CDS_EVALUATION_RESERVE_MS": "500", "CDS_ANSWER_BUDGET_MS": "900"}
    if setting != "CDS_PUBLIC_URL_FILE":
        good["CDS_PUBLIC_URL"] = "https://cds.example.org"
    (told,) = faults(good | {setting: value})
    assert told.startswith(f"{setting}: ")


def test_one_url_is_asked_for_where_one_is_meant():
    (told,) = faults({"CDS_RXNAV_URL": "rxnav"})
    assert told.startswith("CDS_RXNAV_URL: expected an absolute http(s) URL, found 'rxnav'")
    (told,) = faults({"CDS_CORS_ORIGIN": "ehr"})
    assert told == "CDS_CORS_ORIGIN: expected * or one origin such as https://ehr.example.org, found 'ehr'"


def test_a_setting_given_twice_is_refused(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("sqlite://")
    (told,) = faults({"CDS_DATABASE_URL_FILE": str(secret), "CDS_DATABASE_URL": "sqlite://"})
    assert "keep one" in told


@pytest.mark.parametrize("url", ["mysql://u:s3cret@db", "s3cret", "postgresql+psycopg://u:x@db:s3cret/cds"])
def test_a_password_is_not_shown(url):
    assert "s3cret" not in "".join(faults({"CDS_DATABASE_URL": url}))


@pytest.mark.parametrize(
    "url",
    ["sqlite:////data/store.sqlite", "sqlite:///file:store.sqlite?mode=rw&uri=true", "postgresql+psycopg://db/x"],
)
def test_a_database_that_stays_goes_with_clients(tmp_path, url):
    clients = tmp_path / "clients.yaml"
    clients.write_text("clients: []")
    given = {"CDS_CLIENTS": str(clients), "CDS_PUBLIC_URL": "https://cds.example.org", "CDS_DATABASE_URL": url}
    assert Settings.from_environment(given).database_url == url


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CDS_PUBLIC_URL", ""),
        ("CDS_FHIR_SERVERS", "https://ehr.example.org"),
        ("CDS_DATABASE_URL", "sqlite://"),
        ("CDS_DATABASE_URL", "sqlite:///:memory:"),
        ("CDS_DATABASE_URL", "sqlite+pysqlite://"),
        ("CDS_DATABASE_URL", "sqlite+pysqlite:///:memory:"),
        ("CDS_DATABASE_URL", "sqlite:///file:m?mode=memory&uri=true"),
        ("CDS_DATABASE_URL", "sqlite:///file::memory:?uri=true"),
    ],
)
def test_with_clients_some_settings_contradict(tmp_path, setting, value):
    clients = tmp_path / "clients.yaml"
    clients.write_text("clients: []")
    good = {"CDS_CLIENTS": str(clients), "CDS_PUBLIC_URL": "https://cds.example.org/pgx/"}
    assert Settings.from_environment(good).public_url == "https://cds.example.org/pgx"
    (told,) = faults(good | {setting: value})
    assert told.startswith(setting)


def test_a_time_zone_goes_by_its_name_and_none_is_the_machines():
    assert Settings.from_environment({"CDS_TIME_ZONE": " Pacific/Auckland "}).time_zone == ZoneInfo(
        "Pacific/Auckland"
    )
    assert Settings.from_environment({"CDS_TIME_ZONE": ""}).time_zone is None
