"""The designs that are compared, as their templates would write them."""

from bench.bill import Design
from bench.flows import API, TO_DYNAMODB, TO_S3
from bench.template import template_resources

_FUNCTIONS = {API: "ApiFunction", TO_S3: "ToS3Function", TO_DYNAMODB: "ToDynamodbFunction"}
_DEFAULT_MEMORY = {API: 128, TO_S3: 128, TO_DYNAMODB: 128}

ORIGINAL = Design("original", "REST API", _DEFAULT_MEMORY, alarms=0)
IDIOMATIC = Design("idiomatic", "HTTP API", {API: 1769, TO_S3: 512, TO_DYNAMODB: 1769}, alarms=0)


def our_design() -> Design:
    """Memory and alarms as template.yaml has them."""
    resources = template_resources()
    memory = {name: resources[logical_id]["Properties"]["MemorySize"] for name, logical_id in _FUNCTIONS.items()}
    alarms = sum(resource["Type"] == "AWS::CloudWatch::Alarm" for resource in resources.values())
    return Design("ours", "HTTP API", memory, alarms)
