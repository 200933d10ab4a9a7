"""What runs as long as a run serves: the engine, the API and the consumers' functions."""
