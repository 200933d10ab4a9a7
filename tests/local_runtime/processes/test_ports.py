"""Listening sockets on the loopback interface, which a server process inherits."""

import socket
from concurrent.futures import ThreadPoolExecutor

from local_runtime.processes import LOOPBACK, bind_loopback


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _free_port() -> int:
    with bind_loopback(0) as listener:
        return _port(listener)


def test_a_free_port_is_taken_as_it_is() -> None:
    """The preferred port is the one that users know. Only this machine can reach it."""
    port = _free_port()
    with bind_loopback(port) as listener:
        assert listener.getsockname() == (LOOPBACK, port)


def test_another_port_is_chosen_beside_a_listener() -> None:
    """A second run, or somebody else's server, is no reason to fail."""
    with bind_loopback(0) as first, bind_loopback(_port(first)) as second:
        assert _port(first) != _port(second)


def test_a_listener_on_all_interfaces_counts_too() -> None:
    """Some systems would let both bind_loopback, and callers would reach either."""
    with socket.create_server(("", 0)) as everywhere, bind_loopback(_port(everywhere)) as listener:
        assert _port(listener) != _port(everywhere)


def test_no_two_starts_at_once_get_the_same_port() -> None:
    """All prefer the same one, and one of them gets it."""
    port = _free_port()
    with ThreadPoolExecutor(16) as pool:
        listeners = list(pool.map(bind_loopback, [port] * 16))
    ports = [_port(listener) for listener in listeners]
    for listener in listeners:
        listener.close()
    assert (len(set(ports)), ports.count(port)) == (16, 1)
