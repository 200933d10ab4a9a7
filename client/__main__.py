"""`python -m client`."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports Ctrl-C ends the process without a traceback

    from client.cli import app
    from client.environment import Environment

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends an upload as Ctrl-C does
    app(obj=Environment(), prog_name="client")
