"""A port on the loopback interface that nobody listens on."""

import socket

LOOPBACK = "127.0.0.1"
_ANY = 0


def free_port(preferred: int) -> int:
    """`preferred` if it is free, else one that the system chooses."""
    return preferred if _is_free(preferred) else _chosen_by_the_system()


def _is_free(port: int) -> bool:
    """A connection is tried too: beside a listener on all interfaces, some systems let us bind to one of them."""
    with socket.socket() as caller:
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port of the last run, still in TIME_WAIT
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _chosen_by_the_system() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, _ANY))
        port: int = listener.getsockname()[1]
        return port
