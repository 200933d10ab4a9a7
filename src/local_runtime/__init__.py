"""The whole pipeline on one machine, without Docker, an AWS account or a network. It is never deployed."""
