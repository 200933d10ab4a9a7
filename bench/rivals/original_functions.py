"""The original's functions as Lambda would start them: clients and names come from the environment."""

import os

from aws.clients import dynamodb_client, kinesis_client, s3_client
from bench.rivals.original import Ingest, ToDynamodb, ToS3

ingest = Ingest(kinesis_client(), os.environ["STREAM_NAME"]).handler
to_s3 = ToS3(s3_client(), os.environ["RAW_BUCKET"]).handler
to_dynamodb = ToDynamodb(dynamodb_client(), os.environ["INVOICES_TABLE"], os.environ["CUSTOMERS_TABLE"]).handler
