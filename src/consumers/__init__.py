"""What reads the stream: `to_s3` archives records, `to_dynamodb` stores their lines. Both stand on one batch loop."""
