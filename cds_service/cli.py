"""The command `cds-service`. Exit codes: 0 well, 1 problems found or something missing, 2 wrong usage or input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import orjson

from cds_service import __version__
from cds_service.answer import Service, answer, load_service
from cds_service.app import clients_of
from cds_service.commands.arguments import PROBLEMS, USAGE, WELL, day
from cds_service.commands.inspection import inspect, service_for
from cds_service.commands.knowledge import add_knowledge_command
from cds_service.commands.phenotyping import phenotype_lines
from cds_service.commands.pretty import answer_lines, inspection_line
from cds_service.commands.sandbox import add_sandbox_commands
from cds_service.commands.terminology import add_terminology_command
from cds_service.errors import AnswerError, CdsError, RequestError, SettingsError
from cds_service.fetching.addresses import is_this_machine
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.discovery import ServiceDefinition
from cds_service.hooks.requests import parse
from cds_service.hooks.responses import operation_outcome
from cds_service.knowledge.load import load_knowledge
from cds_service.offered import offered_by
from cds_service.received_json.nesting import TooDeep, decoded
from cds_service.serving import Server
from cds_service.settings import Settings
from cds_service.store import addresses as databases
from cds_service.store.store import Store, StoreError
from cds_service.store.tables import WrongTables

_PACKAGED = Path(__file__).with_name("_packaged")


def main(arguments: list[str] | None = None) -> int:
    """Run the command and say how it ended."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except (CdsError, OSError, UnicodeDecodeError) as fault:
        return _ended(fault)


def _ended(fault: Exception) -> int:
    """The exit code of a fault, told on standard error."""
    match fault:
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return WELL
        case AnswerError():
            code = PROBLEMS
        case _:
            code = USAGE
    print(f"cds-service: {fault}", file=sys.stderr)
    return code


def _serve(chosen: argparse.Namespace) -> int:
    options = {
        "bind": [_address(chosen.host, chosen.port), *([f"unix:{chosen.socket}"] if chosen.socket else [])],
        "workers": chosen.workers,
        "threads": chosen.threads,
        "worker_class": "cds_service.web.server.Worker",
        "keepalive": 30,
        "proc_name": "cds-service",
        "logger_class": "cds_service.web.server.ServerLogger",
        "forwarded_allow_ips": "",  # a proxy need tell us nothing: CDS_PUBLIC_URL does
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "control_socket_disable": True,  # of newer versions; it would want a writable home
    }
    settings = Settings.from_environment(os.environ)
    clients = clients_of(settings)
    _check_place(settings, chosen.host)
    server = Server(settings, clients, options)
    _check_store(settings)
    server.run()
    return WELL


def _address(host: str, port: int) -> str:
    """As gunicorn reads it.

    >>> _address("::1", 8000), _address("127.0.0.1", 8000)
    ('[::1]:8000', '127.0.0.1:8000')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_place(settings: Settings, host: str) -> None:
    """Raises SettingsError where what development leaves out would be open to other machines."""
    if settings.development and not is_this_machine(host):
        raise SettingsError(f"CDS_DEVELOPMENT=true serves loopback alone; found --host {host}")


def _check_store(settings: Settings) -> None:
    """Make the tables before the workers start. Raises SettingsError where nothing can be kept."""
    try:
        store = Store(settings.database_url)
        store.check()
    except WrongTables as fault:
        raise SettingsError(f"CDS_DATABASE_URL: {fault}") from fault
    except ImportError as fault:
        missing = f"the driver '{fault.name}' is not installed; requirements/image.txt brings psycopg"
        raise SettingsError(f"CDS_DATABASE_URL: {missing}") from fault
    except StoreError as fault:
        why = str(getattr(fault, "orig", None) or type(fault).__name__).partition("\n")[0]
        told = ": ".join(part for part in (databases.place(settings.database_url), why) if part)
        raise SettingsError(
            f"CDS_DATABASE_URL: expected a database that can be opened and written: {told}"
        ) from fault
    store.close()


def _answer(chosen: argparse.Namespace) -> int:
    service, offered = _loaded()
    ended = WELL
    for title, document in _documents(chosen.files):
        try:
            body = _body(document, service, offered, chosen.today)
        except RequestError as fault:
            ended = USAGE
            body = operation_outcome(fault.code, str(fault), fault.expression)
            print(f"cds-service: {title}: {fault}", file=sys.stderr)
        if chosen.pretty:
            print(*answer_lines(body, title), sep="\n", end="\n\n")
        else:
            print(_json(body))
    return ended


def _body(
    document: object, service: Service, offered: Mapping[str, ServiceDefinition], today: date
) -> dict[str, object]:
    """The answer to a hook request by its prefetch alone: files are answered without any network."""
    request = parse(document, service_for(document, offered))
    return answer(request, prefetched_results(request.prefetch, request.question.patient_id), service, today).body


def _inspect(chosen: argparse.Namespace) -> int:
    service, offered = _loaded()
    ended = WELL
    for title, document in _documents(chosen.files):
        if chosen.pretty:
            print(f"== {title}")
        try:
            for entry in inspect(document, service, offered, chosen.today):
                print(inspection_line(entry) if chosen.pretty else _json(entry))
        except RequestError as fault:
            ended = USAGE
            print(f"cds-service: {title}: {fault}", file=sys.stderr)
    return ended


def _loaded() -> tuple[Service, Mapping[str, ServiceDefinition]]:
    settings = Settings.from_environment(os.environ)
    service = load_service(settings.policy, settings.terminology)
    return service, offered_by(service)


def _documents(files: list[str]) -> Iterator[tuple[str, object]]:
    """Every JSON document with a title: of a file that holds one, a list of them, or one on each line. Raises
    RequestError where a file is neither, or empty: a broken export must not read as "no cards".
    """
    for title, content in _contents(files):
        if content.strip() in (b"", b"[]"):
            raise RequestError(400, "required", f"{title} is empty; expected at least one hook request")
        try:
            whole = decoded(content)
        except TooDeep as fault:
            raise RequestError(400, "structure", f"{title}: {fault}") from fault
        except orjson.JSONDecodeError:
            yield from _lines(content, title)
        else:
            documents = whole if isinstance(whole, list) else [whole]
            for n, document in enumerate(documents, start=1):
                yield (f"{title} [{n}]" if len(documents) > 1 else title), document


def _contents(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        if name == "-":
            yield "standard input", sys.stdin.buffer.read()
        else:
            yield from ((str(path), path.read_bytes()) for path in _paths(name))


def _paths(name: str) -> list[Path]:
    """The file of that name; where there is none, the packaged ones that `fixtures/...` names (in an installed
    wheel, from any directory).
    """
    path = Path(name)
    if path.exists() or path.is_absolute():
        return [path]
    packaged = sorted(found for found in _PACKAGED.glob(name) if found.is_file())
    return packaged or [path]


def _lines(content: bytes, title: str) -> Iterator[tuple[str, object]]:
    for n, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                yield f"{title}:{n}", decoded(line)
            except TooDeep as fault:
                raise RequestError(400, "structure", f"{title}:{n}: {fault}") from fault
            except orjson.JSONDecodeError as fault:
                message = f"{title}: neither a JSON document nor one on each line (line {n}: {fault.msg})"
                raise RequestError(400, "structure", message) from fault


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _phenotype(chosen: argparse.Namespace) -> int:
    knowledge = load_knowledge()
    if chosen.file == "-":
        print(*phenotype_lines(sys.stdin, knowledge), sep="\n")
        return WELL
    with Path(chosen.file).open(encoding="utf-8") as lines:
        print(*phenotype_lines(lines, knowledge), sep="\n")
    return WELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cds-service", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="answer CDS Hooks over HTTP")
    serve.add_argument("--host", type=lambda text: text.strip("[]"), default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument("--socket", metavar="PATH", help="listen on this socket of the file system too, for a proxy")
    serve.add_argument("--workers", type=_positive, default=2)
    serve.add_argument("--threads", type=_positive, default=4)
    serve.set_defaults(run=_serve)

    for name, run, told in (
        ("answer", _answer, "answer hook requests from files, one response a line"),
        ("inspect", _inspect, "show what was read, found, kept silent and missed"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("files", nargs="+", metavar="FILE", help="JSON or one JSON a line; - is standard input")
        command.add_argument("--pretty", action="store_true", help="for people")
        command.add_argument("--today", type=day, default=datetime.now(UTC).astimezone().date(), metavar="DATE")
        command.set_defaults(run=run)

    phenotype = commands.add_parser("phenotype", help="phenotype and activity score of gene<TAB>diplotype lines")
    phenotype.add_argument("file", nargs="?", default="-", metavar="FILE")
    phenotype.set_defaults(run=_phenotype)

    add_knowledge_command(commands)
    add_sandbox_commands(commands)
    add_terminology_command(commands)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
