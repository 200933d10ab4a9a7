"""`python -m client`."""

from client.cli import app
from client.environment import Environment

if __name__ == "__main__":
    app(obj=Environment(), prog_name="client")
