"""checkov finds nothing in the template but what is listed here, with the reason why it stays."""

import json
import subprocess

from proofs.machine import PROJECT

FUNCTIONS = ("ApiFunction", "ToS3Function", "ToDynamodbFunction")
LOGS = ("AccessLog", "ApiLog", "ToS3Log", "ToDynamodbLog")

ACCEPTED: dict[tuple[str, tuple[str, ...]], str] = {
    ("CKV_AWS_18", ("RawBucket",)): "access logs of the archive would cost more than it does; CloudTrail can be had",
    ("CKV_AWS_26", ("AlarmTopic",)): "alarms may not publish through the account's SNS key, and carry no data",
    ("CKV_AWS_115", ("ToS3Function", "ToDynamodbFunction")): "one invocation a shard is limit enough",
    ("CKV_AWS_116", FUNCTIONS): "a dead-letter queue is for asynchronous calls and never fires for a stream",
    ("CKV_AWS_117", FUNCTIONS): "they speak to AWS only; a VPC would add endpoints to pay for and nothing to reach",
    (
        "CKV_AWS_119",
        ("InvoicesTable", "CustomersTable", "KeysTable"),
    ): "the account's DynamoDB key encrypts; an own key costs by the call",
    ("CKV_AWS_158", LOGS): "CloudWatch encrypts them, and no personal data is logged",
    ("CKV_AWS_173", FUNCTIONS): "the variables are names of resources, no secrets",
}


def findings() -> set[tuple[str, str]]:
    """Check and resource of everything that failed; checkov needs no network for it."""
    checkov = PROJECT / ".venv-checkov" / "bin" / "checkov"
    options = ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json"]
    finished = subprocess.run(
        [checkov, "--file", PROJECT / "template.yaml", *options], check=False, capture_output=True, text=True
    )
    report = json.loads(finished.stdout)
    failed = report["results"]["failed_checks"]
    print(f"\ncheckov: {report['summary']['passed']} checks passed, {len(failed)} accepted with a reason")
    return {(each["check_id"], each["resource"].rpartition(".")[2]) for each in failed}


def test_nothing_is_found_but_what_is_accepted() -> None:
    """And nothing is accepted any more that is no longer found."""
    assert {(check, resource) for check, resources in ACCEPTED for resource in resources} == findings()
