"""`python -m client`."""

from client.cli import app
from client.outside import Outside

if __name__ == "__main__":
    app(obj=Outside(), prog_name="client")
