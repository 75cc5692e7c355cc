"""What `docker inspect` shows: users, privileges, ports, and no password anywhere."""

from farm import Farm, check

MAY_READ_OWN = ("[!b]*", "broker")  # broker.acl holds a hash, which nobody has to hide
SECRET_LENGTH = 20


def check_walls(farm: Farm) -> None:
    containers = farm.inspect(farm.containers(all=True))
    check(all(_is_unprivileged(container) for container in containers), "no container is root or privileged")
    bound = {
        binding["HostIp"]
        for container in containers
        for bindings in (container["HostConfig"]["PortBindings"] or {}).values()  # type: ignore[index]
        for binding in bindings
    }
    check(bound == {"127.0.0.1"}, "ports are bound to 127.0.0.1")
    files = " ".join(f"/run/secrets/{name}" for name in MAY_READ_OWN)
    check_unseen(farm, farm.run("--entrypoint", "sh", "secrets", "-c", f"cat {files}").split(), "password")
    refused = farm.run("--entrypoint", "sh", "cli", "-c", "cat /run/secrets/database-admin 2>&1 || true")
    check("Permission denied" in refused, "the command line's container cannot read the database owner's password")


def check_unseen(farm: Farm, words: list[str], what: str) -> None:
    """None of these is in `docker inspect` of any container."""
    secrets = [word for word in words if len(word) >= SECRET_LENGTH]
    seen = str(farm.inspect(farm.containers(all=True)))
    check(secrets != [] and not [word for word in secrets if word in seen], f"no {what} in docker inspect")


def _is_unprivileged(container: dict[str, object]) -> bool:
    user = container["Config"]["User"]  # type: ignore[index]
    host = container["HostConfig"]
    assert isinstance(host, dict)
    return (
        user.split(":")[0] not in ("", "0", "root")
        and not host["Privileged"]
        and host["CapDrop"] == ["ALL"]
        and not host["CapAdd"]
        and host["ReadonlyRootfs"]
    )
