"""Options: the names and units that people use, as members of the engine's structs (include/muster/client.h, request.h)."""

import os

from ._cookies import HSTS, CookieJar

NO_TIMEOUT = 2**64 - 1
_AUTH_SCHEMES = {"basic": 1, "digest": 4, "any": 5}


class Timeout:
    """Which clock runs out: seconds, or None for no limit. What is left out stays as the client or the engine has it.

    connect  from the slot of each attempt until the connection is ready (10)
    read     from byte to byte (60)
    total    from the first slot to the result, over all attempts (no limit)
    queue    from submit to the first slot (no limit)
    deadline from submit to the result (no limit)
    """

    __slots__ = ("_members",)
    _NAMES = {"connect": "connect_timeout_ms", "read": "read_timeout_ms", "total": "total_timeout_ms", "queue": "queue_timeout_ms",
              "deadline": "deadline_ms"}

    def __init__(self, total=..., *, connect=..., read=..., queue=..., deadline=...):
        given = {"total": total, "connect": connect, "read": read, "queue": queue, "deadline": deadline}
        self._members = {self._NAMES[name]: milliseconds(name, value) for name, value in given.items() if value is not ...}

    def __repr__(self):
        names = {member: name for name, member in self._NAMES.items()}
        return "Timeout({})".format(", ".join(f"{names[member]}={None if ms == NO_TIMEOUT else ms / 1000:g}" for member, ms in self._members.items()))

    def __eq__(self, other):
        return isinstance(other, Timeout) and self._members == other._members

    __hash__ = None


def milliseconds(name, seconds):
    """At least one: 0 would be the engine's default."""
    if seconds is None:
        return NO_TIMEOUT
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name}: seconds are a number or None, not {seconds!r}")
    if not seconds > 0:
        raise ValueError(f"{name}: {seconds!r} s leaves no time; None is no limit")
    return min(max(1, round(seconds * 1000)), NO_TIMEOUT)


def timeouts(timeout):
    """Members for a Timeout, or a number of seconds in total."""
    return (timeout if isinstance(timeout, Timeout) else Timeout(total=timeout))._members


def auth_parts(auth):
    """What the engine takes: (token,) or (user, password, schemes)."""
    if auth is None:
        return None
    if isinstance(auth, str):
        return (auth,)
    if len(auth) == 2:
        return (auth[0], auth[1], 0)
    user, password, scheme = auth
    if scheme not in _AUTH_SCHEMES:
        raise ValueError(f"auth: {scheme!r} is none of {', '.join(_AUTH_SCHEMES)}")
    return (user, password, _AUTH_SCHEMES[scheme])


def _whole(name, value, least=1):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: a whole number, not {value!r}")
    if value < least:
        raise ValueError(f"{name}: {value!r} is below {least}")
    return value


def _path(value):
    return os.fspath(value)


_OPENSSL = "/usr/lib/ssl/certs"  # where the OpenSSL in a wheel looks: Debian's place, and Ubuntu's
_BUNDLES = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"]  # Fedora's, openSUSE's, Alpine's


def _trusted_by_the_machine():
    """A file of certificates where OpenSSL's own place is not there; None: OpenSSL finds them."""
    if os.path.exists(_OPENSSL) or "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return None
    return next(filter(os.path.exists, _BUNDLES), None)


def _verify(members, verify):
    if verify is False:
        members["insecure_no_verify"] = True
    elif verify is not True:
        members["ca_file"] = _path(verify)


def _cert(members, cert):
    if isinstance(cert, (str, os.PathLike)):
        members["client_cert_file"] = _path(cert)
    else:
        members["client_cert_file"], members["client_key_file"] = map(_path, cert)


def _http(members, version):
    versions = {"1.0": 10, "1.1": 11, "2": 20, "2-prior-knowledge": 21}
    if version not in versions:
        raise ValueError(f"http: {version!r} is none of {', '.join(versions)}")
    members["http"] = versions[version]


def _resolve(members, resolve):
    """{"example.com:443": "192.0.2.1"} or with several addresses."""
    entries = []
    for host, addresses in dict(resolve).items():
        entries.append(f"{host}:{addresses if isinstance(addresses, str) else ','.join(addresses)}")
    members["resolve"] = entries


def _cookies(members, cookies):
    """True: a jar of the client's own. None: no cookies."""
    if cookies is not None:
        members["cookies"] = CookieJar() if cookies is True else _jar(cookies)


def _jar(cookies):
    if not isinstance(cookies, CookieJar):
        raise TypeError(f"cookies: a muster.CookieJar, as a cookie belongs to a host, not {type(cookies).__name__}; jar.set(url, \"name=value\") adds one")
    return cookies


def _request_cookies(members, cookies):
    """False: none. None: as the client has it."""
    if cookies is False:
        members["no_cookies"] = True
    elif cookies is not None:
        members["cookies"] = _jar(cookies)


def _hsts(members, hosts):
    """A path is that of a file, which the client keeps up to date."""
    if hosts is not None:
        members["hsts"] = hosts if isinstance(hosts, HSTS) else HSTS(hosts)


def hsts_file(options):
    """The file to which the client saves what it has learnt; None: that is the caller's to do."""
    hosts = options.get("hsts")
    return None if hosts is None or isinstance(hosts, HSTS) else _path(hosts)


# name: how it becomes members. A str is the member that takes it as it is.
_CLIENT = {
    "concurrency": lambda m, v: m.update(concurrency=_whole("concurrency", v)),
    "per_host": lambda m, v: m.update(per_host=_whole("per_host", v)),
    "timeout": lambda m, v: m.update(timeouts(v)),
    "total_timeout": lambda m, v: m.update(total_timeout_ms=milliseconds("total_timeout", v)),
    "connect_timeout": lambda m, v: m.update(connect_timeout_ms=milliseconds("connect_timeout", v)),
    "read_timeout": lambda m, v: m.update(read_timeout_ms=milliseconds("read_timeout", v)),
    "queue_timeout": lambda m, v: m.update(queue_timeout_ms=milliseconds("queue_timeout", v)),
    "deadline": lambda m, v: m.update(deadline_ms=milliseconds("deadline", v)),
    "idle_timeout": lambda m, v: m.update(idle_timeout_ms=milliseconds("idle_timeout", v)),
    "retries": lambda m, v: m.update(max_retries=_whole("retries", v, 0)),
    "retry_unsafe": "retry_unsafe",
    "retry_delay": lambda m, v: m.update(retry_fixed_delay_ms=milliseconds("retry_delay", v)),
    "retry_max_time": lambda m, v: m.update(retry_max_time_ms=milliseconds("retry_max_time", v)),
    "follow_redirects": lambda m, v: m.update(no_redirects=not v),
    "max_redirects": lambda m, v: m.update(max_redirects=_whole("max_redirects", v)),
    "max_body": lambda m, v: m.update(max_body_bytes=_whole("max_body", v)),
    "body_memory": lambda m, v: m.update(body_memory_bytes=_whole("body_memory", v)),
    "decode": lambda m, v: m.update(no_decoding=not v),
    "discard_body": "discard_body",
    "cookies": _cookies,
    "hsts": _hsts,
    "user_agent": "user_agent",
    "verify": _verify,
    "cert": _cert,
    "keylog_file": lambda m, v: m.update(keylog_file=_path(v)),
    "http": _http,
    "h2_connections": lambda m, v: m.update(h2_conns=_whole("h2_connections", v)),
    "rate": lambda m, v: m.update(rate_per_s=float(v)),
    "rate_per_host": lambda m, v: m.update(rate_per_host_per_s=float(v)),
    "reuse_connections": lambda m, v: m.update(no_reuse=not v),
    "threads": lambda m, v: m.update(threads=_whole("threads", v)),
    "proxy": "proxy",
    "no_proxy": "no_proxy",
    "trust_env": "proxy_from_environment",
    "dns_server": "dns_server",
    "resolve": _resolve,
    "connect_to": lambda m, v: m.update(connect_to=list(v)),
    "unix_socket": lambda m, v: m.update(unix_socket=_path(v)),
    "interface": "interface",
    "ip_version": "ip_version",
    "netrc": lambda m, v: m.update(netrc_file=_path(v)),
    "keep_heads": "keep_heads",
    "secret_headers": lambda m, v: m.update(secret_headers=list(v)),
    "deny_private": "deny_private",
    "allow_hosts": lambda m, v: m.update(allow_hosts=list(v)),
    "allow_ports": lambda m, v: m.update(allow_ports=[str(port) for port in v]),
}


def _members(table, options, whose=""):
    """TypeError for a name that there is not, as functions have it."""
    members = {}
    for name, value in options.items():
        how = table.get(name)
        if how is None:
            raise TypeError(f"there is no option {name!r}{whose}")
        if isinstance(how, str):
            members[how] = value
        else:
            how(members, value)
    return members


def client_members(options):
    """Members of struct muster_client_options."""
    members = _members(_CLIENT, options)
    trusted = None if "ca_file" in members or "insecure_no_verify" in members else _trusted_by_the_machine()
    if trusted is not None:
        members["ca_file"] = trusted
    return members


_REQUEST = {
    "timeout": lambda m, v: m.update(timeouts(v)),
    "retries": lambda m, v: m.update({"max_retries": v} if _whole("retries", v, 0) else {"no_retries": True}),
    "retry_unsafe": "retry_unsafe",
    "follow_redirects": lambda m, v: m.update(no_redirects=not v),
    "max_body": lambda m, v: m.update(max_body_bytes=_whole("max_body", v)),
    "decode": lambda m, v: m.update(no_decoding=not v),
    "discard_body": "discard_body",
    "stream": "stream",
    "cookies": _request_cookies,
}


def request_members(options):
    """Members of struct muster_request_options."""
    return _members(_REQUEST, options, " of a request")
