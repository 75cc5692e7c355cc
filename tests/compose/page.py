"""The web page's port, as a program on this machine sees it."""

import urllib.error
import urllib.request

from farm import Farm, check

TIMEOUT_S = 10.0


def check_page(farm: Farm, search: str) -> None:
    """Asks for a token, and answers about the search whoever has one."""
    url = f"http://{farm.compose('port', 'dashboard', '8080').strip()}/api/v1/searches"
    check(get(url)[0] == 401, "the page asks for a token")
    words = farm.run("admin", "token", "create", "test").split()
    token = next(word for word in words if word.startswith("pf_"))
    status, text = get(url, token)
    check(status == 200 and f'"{search}"' in text, f"with a token it shows {search}")


def get(url: str, token: str | None = None) -> tuple[int, str]:
    """Status and body."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
