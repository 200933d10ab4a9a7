"""Ports on the loopback interface."""

import socket

from local_runtime.processes import LOOPBACK, free_port


def _listener() -> socket.socket:
    listener = socket.create_server((LOOPBACK, 0))
    listener.listen()
    return listener


def test_a_free_port_is_taken_as_it_is() -> None:
    """The preferred port is the one that users know."""
    with _listener() as listener:
        port: int = listener.getsockname()[1]
    assert port == free_port(port)


def test_another_port_is_chosen_beside_a_listener() -> None:
    """A second run, or somebody else's server, is no reason to fail."""
    with _listener() as listener:
        port: int = listener.getsockname()[1]
        assert port != free_port(port)


def test_a_listener_on_all_interfaces_counts_too() -> None:
    """Some systems would let both listen, and callers would reach either."""
    with socket.create_server(("", 0)) as listener:
        port: int = listener.getsockname()[1]
        assert port != free_port(port)
