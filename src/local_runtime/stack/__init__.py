"""What template.yaml says, and the same resources created in the engine."""
