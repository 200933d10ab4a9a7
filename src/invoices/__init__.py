"""What both sides of the stream agree on: a line, a batch's bytes, slices and their union, the errors."""
