"""The readers of the stream: `to_s3` archives records, `to_dynamodb` stores their lines. They share one batch loop."""
