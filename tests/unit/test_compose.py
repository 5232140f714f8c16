"""What docker/ promises where no test can start it."""

from __future__ import annotations

from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "docker"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_whoever_may_be_started_again_takes_no_network_with_it() -> None:
    """Docker leaves who shares a container's network in the old one when that container is started again."""
    modes = {name: service.get("network_mode", "") for name, service in SERVICES.items()}
    shared = {mode.removeprefix("service:") for mode in modes.values() if mode}
    assert [name for name, mode in modes.items() if not mode] == ["network"] == [*shared]
    assert SERVICES["network"]["command"] == ["sleep", "infinity"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["network"]


def test_logs_do_not_fill_the_disk() -> None:
    for service in SERVICES.values():
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys()


def test_no_container_has_rights_that_it_does_not_need() -> None:
    for service in SERVICES.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_overrides_the_settings_of_the_site() -> None:
    """Compose's `environment` wins over `env_file`, and a setting of the image contradicts its `CDS_..._FILE`."""
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert [*SERVICES["cds-service"]["environment"]] == ["CDS_DEVELOPMENT"]
    assert "CDS_" not in image
