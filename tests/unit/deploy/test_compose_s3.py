"""compose.s3.yml: who touches artifacts has the keys, and finds a server and a bucket."""

import pytest
from compose_config import merged

SERVICES = merged("compose.s3.yml")
ARTIFACTS = "s3://paretofarm/artifacts"
CLIENTS = [
    name
    for name, service in SERVICES.items()
    if (service.get("environment") or {}).get("PARETOFARM_ARTIFACTS") and not name.startswith("s3")
]


def test_nobody_is_left_with_a_folder() -> None:
    assert {SERVICES[name]["environment"]["PARETOFARM_ARTIFACTS"] for name in CLIENTS} == {ARTIFACTS}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_reads_its_keys_from_a_file(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"]["AWS_SHARED_CREDENTIALS_FILE"] == "/run/s3/credentials"
    assert [volume["target"] for volume in service["volumes"] if volume.get("source") == "s3-keys"] == ["/run/s3"]


@pytest.mark.parametrize(
    "name", sorted({"worker", "trainer", "agent", "demo-agent", "dashboard", "cli", "admin", "demo"})
)
def test_what_works_with_artifacts_waits_for_the_bucket(name: str) -> None:
    """After `down --volumes` a restore is the first that wants it."""
    bucket = SERVICES[name]["depends_on"]["s3-bucket"]
    assert (bucket["condition"], bucket["required"]) == ("service_completed_successfully", False)


def test_only_the_gateway_that_asks_for_keys_listens_beyond_its_container() -> None:
    options = SERVICES["s3"]["command"]
    assert {"-ip.bind=127.0.0.1", "-s3.ip.bind=0.0.0.0", "-s3.config=/run/s3/s3.json"} <= set(options)
    assert [port["target"] for port in SERVICES["s3"]["ports"]] == [8333]
    assert {port["host_ip"] for port in SERVICES["s3"]["ports"]} == {"127.0.0.1"}
