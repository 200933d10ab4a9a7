"""AWS's documented rules of a Kinesis event source mapping, one test each."""
