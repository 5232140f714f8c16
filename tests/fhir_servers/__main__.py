"""`python -m tests.fhir_servers medplum` starts one of the servers, tells its base URL and serves until Ctrl-C."""

from __future__ import annotations

import sys
import time

from tests.fhir_servers.servers import RECIPES, running


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in RECIPES:
        sys.stderr.write(f"name one of {', '.join(RECIPES)}\n")
        return 2
    with running(arguments[0]) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
