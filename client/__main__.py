"""`python -m client`."""

from client.cli import app
from client.environment import Outside

if __name__ == "__main__":
    app(obj=Outside(), prog_name="client")
