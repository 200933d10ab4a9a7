"""The operator's commands: dead letters, verification, replay and API keys."""
