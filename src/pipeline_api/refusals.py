"""Why the API refuses a request that its core never sees, or knows nothing of."""


class UnsupportedMedia(Exception):
    """The body is of a type, charset or encoding that is not taken."""


class Unauthenticated(Exception):
    """No key, or none that is valid."""


class Forbidden(Exception):
    """The key is valid, but not for this."""


class NotFound(Exception):
    """What a path or a query names is not stored."""
