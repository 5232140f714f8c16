"""The commands `try` and `seed` of the command line: their options, and how they print."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service.answer import Service, load_service
from cds_service.commands.arguments import PROBLEMS, WELL, day
from cds_service.commands.sandboxes import Access, Sandbox, load_sandboxes
from cds_service.commands.seeding import Loaded, Target, fixture_folder, read_records, seed
from cds_service.commands.trying import Asked, attempt, report, report_lines
from cds_service.errors import SettingsError
from cds_service.fetching.client import FetchError
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.prefetch import RESOURCE_TYPES
from cds_service.fetching.smart import BackendClient, access_token
from cds_service.hooks.discovery import Hook, ServiceDefinition
from cds_service.offered import offered_by
from cds_service.settings import Settings

_TOKEN_VARIABLE = "FHIR_ACCESS_TOKEN"  # noqa: S105  the name of a variable, no secret
_HOOKS = (Hook.ORDER_SIGN, Hook.PATIENT_VIEW)


def add_sandbox_commands(commands: Any) -> None:
    """Add `try` and `seed` to the subparsers of the command line."""
    _add_try(commands.add_parser("try", help="ask about a patient of any FHIR server, as an EHR would"))
    _add_seed(commands.add_parser("seed", help="load the made-up patients into a FHIR server for tests"))


def _add_try(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fhir", metavar="URL", help="base URL of a FHIR R4 server")
    command.add_argument("--preset", choices=sorted(load_sandboxes()), help="a public sandbox in place of --fhir")
    command.add_argument("--patient", required=True, metavar="ID")
    command.add_argument("--drug", action="append", default=[], metavar="TEXT", help='such as "clopidogrel 75 mg"')
    command.add_argument("--reason", default="", metavar="TEXT", help="why the drug is ordered")
    command.add_argument("--hook", choices=[hook.value for hook in _HOOKS], help="order-sign where a drug is named")
    _add_access(command)
    smart = command.add_argument_group("SMART Backend Services")
    smart.add_argument("--smart-client", default="", metavar="ID", help="client id as registered with the server")
    smart.add_argument("--smart-key", metavar="FILE", help="private key, PEM or JWK")
    smart.add_argument("--smart-kid", default="", metavar="KID", help="id of the key, where it is a PEM")
    smart.add_argument("--smart-scope", default=_scopes(), metavar="SCOPES")
    smart.add_argument("--smart-token-url", default="", metavar="URL", help="where the server does not say it itself")
    command.add_argument("--json", action="store_true", help="request, queries, gaps and answer as JSON")
    command.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    command.add_argument("--today", type=day, default=datetime.now(UTC).astimezone().date(), metavar="DATE")
    command.set_defaults(run=_try)


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fhir", required=True, metavar="URL", help="base URL of a FHIR R4 server for tests")
    command.add_argument("--patients", type=Path, metavar="FOLDER", help="Bundles in place of the packaged patients")
    command.add_argument("--yes-this-is-a-test-server", action="store_true", help="for a server on another machine")
    command.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS")
    _add_access(command)
    command.set_defaults(run=_seed)


def _add_access(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--token",
        default="",
        metavar="FILE",
        help=f"file that holds a bearer token; 'env' takes it from {_TOKEN_VARIABLE}",
    )


def _scopes() -> str:
    """Read and search of every type that our queries ask for, and of the Medications that orders refer to."""
    kinds = sorted({kind for kinds in RESOURCE_TYPES.values() for kind in kinds} | {"Medication"})
    return " ".join(f"system/{kind}.rs" for kind in kinds)


def _try(chosen: argparse.Namespace) -> int:
    sandbox = load_sandboxes().get(chosen.preset or "")
    url = chosen.fhir or (sandbox.fhir if sandbox else "")
    if not url:
        raise SettingsError("name the server: --fhir URL, or a public sandbox with --preset")
    deadline = Deadline.after(chosen.timeout)
    asked = Asked(url, chosen.patient, tuple(chosen.drug), chosen.reason, _token(chosen, url, sandbox, deadline))
    settings = Settings.from_environment(os.environ)
    service = load_service(settings.policy, settings.terminology)
    trial = attempt(asked, _definition(chosen, service), service, chosen.today, deadline)
    if chosen.json:
        sys.stdout.write(orjson.dumps(report(trial), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _say(*report_lines(trial, f"{asked.patient_id} at {url}"))
    return PROBLEMS if trial.incomplete else WELL


def _definition(chosen: argparse.Namespace, service: Service) -> ServiceDefinition:
    hook = chosen.hook or (Hook.ORDER_SIGN.value if chosen.drug else Hook.PATIENT_VIEW.value)
    return offered_by(service)[hook]


def _token(chosen: argparse.Namespace, url: str, sandbox: Sandbox | None, deadline: Deadline) -> str:
    if chosen.smart_client:
        return _smart_token(chosen, url, sandbox, deadline)
    if not chosen.token and not chosen.fhir and sandbox is not None and sandbox.access is not Access.OPEN:
        raise SettingsError(
            f"{sandbox.title} is not open. It needs: {sandbox.needs} Then give --smart-client and --smart-key, or "
            f"--token. See {sandbox.documentation}"
        )
    return _given_token(chosen.token, os.environ)


def _smart_token(chosen: argparse.Namespace, url: str, sandbox: Sandbox | None, deadline: Deadline) -> str:
    if not chosen.smart_key:
        raise SettingsError("--smart-client needs --smart-key, the file of its private key")
    preset_url = sandbox.token_url if sandbox is not None and not chosen.fhir else ""
    client = BackendClient(
        client_id=chosen.smart_client,
        private_key=Path(chosen.smart_key).read_text(encoding="utf-8"),
        scope=chosen.smart_scope,
        key_id=chosen.smart_kid,
        token_url=chosen.smart_token_url or preset_url,
    )
    try:
        return access_token(url, client, time.time(), deadline)
    except FetchError as fault:
        raise SettingsError(f"no access token: {fault}") from fault


def _given_token(place: str, environment: Mapping[str, str]) -> str:
    """The token from the file or the environment variable: never from the command line, which others can see."""
    if not place:
        return ""
    token = environment.get(_TOKEN_VARIABLE, "") if place == "env" else Path(place).read_text(encoding="utf-8")
    if not token.strip():
        raise SettingsError(f"--token {place}: there is no token in it")
    return token.strip()


def _seed(chosen: argparse.Namespace) -> int:
    target = Target(chosen.fhir, _given_token(chosen.token, os.environ), chosen.yes_this_is_a_test_server)
    records = read_records(chosen.patients or fixture_folder())
    created = kept = 0
    for loaded in seed(target, records, Deadline.after(chosen.timeout)):
        created += sum(loaded.created.values())
        kept += sum(loaded.kept.values())
        _say(_loaded_line(loaded))
    _say(f"{len(records)} patients: {created} resources created, {kept} written or there before")
    return WELL


def _loaded_line(loaded: Loaded) -> str:
    told = (("created", loaded.created), ("kept", loaded.kept))
    parts = [f"{word} {_counts(counts)}" for word, counts in told if counts]
    how = ", one by one (no transactions here)" if loaded.singly else ""
    return f"{loaded.title:<12}{'; '.join(parts)}{how}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
