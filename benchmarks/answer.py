"""Answers a second by the application in this process, as a ratio to a bare Flask handler in the same run.

    python benchmarks/answer.py [SECONDS]

A ratio of 5 says that an answer costs as much as five requests that decode the same body and answer nothing. Client,
server and network are left out: both sides are called through Flask's test client.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson
from flask import Flask, Response, request

from cds_service.app import close, create_app
from cds_service.settings import Settings

REQUESTS = Path(__file__).parents[1] / "fixtures" / "requests"
JSON = "application/json"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    bodies = {path.stem: path.read_bytes() for path in sorted(REQUESTS.glob("*.json"))}
    hooks = {name: orjson.loads(body)["hook"] for name, body in bodies.items()}
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/bench.sqlite"
        app = create_app(Settings(database_url=database, log_level="ERROR", development=True))
        client, bare = app.test_client(), _bare().test_client()
        answers = [
            lambda n=name: client.post(f"/cds-services/{hooks[n]}", data=bodies[n], content_type=JSON)
            for name in bodies
        ]
        nothings = [lambda n=name: bare.post("/", data=bodies[n], content_type=JSON) for name in bodies]
        for name, call in zip(bodies, answers, strict=True):
            if call().status_code != 200:
                raise SystemExit(f"{name} was not answered")
        ours, theirs = _rate(answers, seconds), _rate(nothings, seconds)
        close(app)
    print(f"answers a second: {ours:.0f}; bare handler: {theirs:.0f}; ratio {theirs / ours:.1f}")


def _bare() -> Flask:
    app = Flask("bare")

    @app.post("/")
    def nothing() -> Response:
        orjson.loads(request.get_data())
        return Response(b'{"cards":[]}', content_type=JSON)

    return app


def _rate(calls: Iterable[Callable[[], object]], seconds: float) -> float:
    """Calls a second, over whole rounds of `calls`."""
    rounds = list(calls)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for call in rounds:
            call()
        done += len(rounds)
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
