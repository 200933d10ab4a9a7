"""`python -m pipeline_ops`."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports Ctrl-C ends the process without a traceback

    from pipeline_ops.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
