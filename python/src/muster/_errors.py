"""What can go wrong: one exception for each of the engine's codes, and parents for what is handled alike."""

import builtins


class Error(Exception):
    """A request failed, or could not be made.

    `code` is the engine's name of it ("timeout"), `stage` the phase in which it happened ("tls"), `errno` that of a failed system call or 0,
    `response` what was known by then (with `request`, `phases`, `attempts`), or None where no request was made.
    """

    def __init__(self, message, *, code="internal", stage="queue", errno=0, response=None):
        super().__init__(message)
        self.code = code
        self.stage = stage
        self.errno = errno
        self.response = response

    @property
    def request(self):
        return self.response.request if self.response is not None else None

    @property
    def phases(self):
        return self.response.phases if self.response is not None else None

    def __reduce__(self):
        return _remake, (type(self), str(self), self.code, self.stage, self.errno)


def _remake(kind, message, code, stage, errno):
    return kind(message, code=code, stage=stage, errno=errno)


class InvalidError(Error, ValueError):
    """An option or argument that cannot be."""


class URLError(Error, ValueError):
    """Not a URL that can be fetched."""


class InputError(Error):
    """The body of a request could not be read."""


class TransportError(Error):
    """No whole response came."""


class ConnectError(TransportError, ConnectionError):
    """No address of the host accepted a connection."""


class ResolveError(ConnectError):
    """The host's name has no address, or no name server answered."""


class ProxyError(ConnectError):
    """The proxy refused, or did not answer as a proxy does."""


class TLSError(ConnectError):
    """The handshake failed, or a record was bad."""


class CertificateError(TLSError):
    """The server's certificate is not trusted for this host."""


class DeniedError(ConnectError):
    """The options forbid this host, address or port."""


class SendError(TransportError):
    """The request could not be written."""


class ClosedError(TransportError, ConnectionError):
    """The connection ended before the response was complete."""


class ProtocolError(TransportError):
    """What the server sent is not valid HTTP, or ambiguous."""


class TimeoutError(TransportError, builtins.TimeoutError):
    """One of the time-outs; the text says which, and what used it up."""


class CancelledError(Error):
    """The request was cancelled, or its client closed."""


class ResponseError(Error):
    """A response came, but not one that can be used."""


class TooLargeError(ResponseError):
    """Header or body above the cap."""


class DecodeError(ResponseError):
    """The compressed body is corrupt, cut off or a bomb."""


class RedirectError(ResponseError):
    """Too many redirects, a loop, or one that is not allowed."""


class StatusError(ResponseError):
    """Status 400 and above: Response.raise_for_status()."""


class ProcessError(Error):
    """Processing the body failed; __cause__ is what was raised."""


class ResourceError(Error, OSError):
    """This machine ran out of memory, files, ports or disk."""

    # OSError's own constructor would take the arguments for (errno, text).
    def __new__(cls, message, **_known):
        return OSError.__new__(cls, message)

    def __init__(self, message, **known):
        Error.__init__(self, message, **known)


class InternalError(Error):
    """A defect of muster: please report it."""


_BY_CODE = {
    "invalid": InvalidError,
    "url": URLError,
    "input": InputError,
    "resolve": ResolveError,
    "connect": ConnectError,
    "tls": TLSError,
    "tls_verify": CertificateError,
    "send": SendError,
    "closed": ClosedError,
    "protocol": ProtocolError,
    "timeout": TimeoutError,
    "too_large": TooLargeError,
    "decode": DecodeError,
    "redirect": RedirectError,
    "status": StatusError,
    "cancelled": CancelledError,
    "process": ProcessError,
    "resource": ResourceError,
    "internal": InternalError,
    "proxy": ProxyError,
    "denied": DeniedError,
}


def make_error(code, stage, errno, text, response):
    """What the engine raises, and what Response.error is."""
    return _BY_CODE.get(code, InternalError)(text, code=code, stage=stage, errno=errno, response=response)
