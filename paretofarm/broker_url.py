"""The broker's address, and what must hold where it asks for TLS."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from paretofarm.errors import ConfigError

TLS = "rediss"
UNREADABLE = "the broker url cannot be read; expected redis://:password@host:port/0"
TLS_PARAMETERS = {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
SAFE = {"ssl_cert_reqs": ("required", "CERT_REQUIRED"), "ssl_check_hostname": ("true",)}


def checked_broker_url(url: str) -> str:
    """The address with everything said that makes `rediss://` safe: certificate and host name are verified.

    Left unsaid, kombu trusts any certificate, and earlier clients of Redis do not look at the host name.
    ConfigError for what would make it unsafe, without the text: it may hold a password.
    """
    parts = _split(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = {name: value for name, value in query.items() if name.startswith("ssl_")}
    if parts.scheme != TLS:
        if tls:
            raise ConfigError(f"the broker url has {min(tls)} but begins with {parts.scheme}://: rediss:// is TLS")
        return url
    _check(tls)
    complete = {**query, **{name: values[0] for name, values in SAFE.items()}}
    return parts._replace(query=urlencode(complete, safe="/")).geturl()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:  # a port that is no number, half an IPv6 address
        raise ConfigError(UNREADABLE) from error
    if not parts.scheme:
        raise ConfigError(UNREADABLE)
    return parts


def _check(tls: dict[str, str]) -> None:
    unknown = sorted(set(tls) - TLS_PARAMETERS)
    if unknown:
        raise ConfigError(f"the broker url has {unknown[0]}; known are {', '.join(sorted(TLS_PARAMETERS))}")
    for name, values in SAFE.items():
        if name in tls and tls[name] not in values:
            raise ConfigError(
                f"the broker url has {name}={tls[name]}: whoever answers would be trusted; leave it out, "
                "and name the CA of your own certificates with ssl_ca_certs=FILE"
            )
