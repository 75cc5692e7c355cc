"""Makes the artifact store's key pair once: s3.json for SeaweedFS, credentials for its clients (compose.s3.yml)."""

import json
import os
import secrets
import sys
from pathlib import Path

ACTIONS = ["Admin", "Read", "Write", "List", "Tagging"]


def main(folder: Path) -> None:
    credentials = folder / "credentials"
    if credentials.exists():
        return
    access, secret = secrets.token_hex(10), secrets.token_urlsafe(30)
    identity = {"name": "paretofarm", "credentials": [{"accessKey": access, "secretKey": secret}], "actions": ACTIONS}
    write(folder / "s3.json", json.dumps({"identities": [identity]}))
    # Last: it says that both are there.
    write(credentials, f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")


def write(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="utf-8") as target:
        target.write(text)
    new.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
