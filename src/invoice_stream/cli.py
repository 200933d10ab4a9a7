"""The installed command `invoice-stream`, as pyproject.toml names it."""

import signal


def main() -> None:
    """During the imports, which take a second, Ctrl-C ends the process without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from client.environment import Environment  # noqa: PLC0415 - after the line above
    from invoice_stream.commands import app  # noqa: PLC0415 - the same

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job begins without one
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends an upload as Ctrl-C does
    app(obj=Environment(), prog_name="invoice-stream")
