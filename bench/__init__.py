"""The pipeline measured beside what a user would otherwise have. Never shipped."""
