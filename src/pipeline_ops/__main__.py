"""`python -m pipeline_ops`."""

from pipeline_ops.cli import main

if __name__ == "__main__":
    main()
