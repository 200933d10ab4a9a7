"""The lake's sums by day and country: small JSON objects that the refresh writes and the API reads.

    totals/month=<month>/<name>.json    sums of some data files of a month, with their paths; written before the commit
    totals/current.json                 the table's newest version, and the object of each of its months

An object's name is made of those of the data files, so it never changes. `current.json` follows from the table's
version alone, so a refresh that finds it older than the table can always write it again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws.bucket import Bucket
from aws.errors import error_code, translate_errors
from invoices.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FOLDER = "totals/"
_CURRENT = f"{_FOLDER}current.json"
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What the lines of one day and country add up to. `amount` is the exact sum of quantity times unit price."""

    day: str
    country: str
    lines: int
    quantity: str
    amount: str


@dataclass(frozen=True, slots=True)
class CurrentTotals:
    """`as_of` is when this version of the lake was committed. `months` maps each month to the key of its sums."""

    version: int
    as_of: str
    months: Mapping[str, str] = field(default_factory=dict)


class TotalsStore:
    """`totals/` in the lake's bucket. Every method raises Retryable where S3 fails."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._objects = Bucket(s3, bucket)

    def current(self) -> CurrentTotals | None:
        """None where no refresh has written any yet."""
        return self._read_current()[0]

    def month(self, key: str) -> list[DayTotals]:
        return [DayTotals(**each) for each in self._read(key)["totals"]]

    def write(self, paths: Sequence[str], totals: Sequence[DayTotals]) -> None:
        """Write the sums of a month with these data files. Nobody reads them before `publish`."""
        body = json.dumps({"files": sorted(paths), "totals": [asdict(each) for each in totals]}).encode()
        self._objects.put(_key(paths), body, "application/json")

    def delete_of(self, path: str) -> None:
        """Delete the sums that count this data file, which the table's newest version must not name.

        Other sums stay, although they may not be current: a refresh may be about to commit them.
        """
        for each in list(self._objects.objects(_folder(path))):
            if self._counts(each.key, path):
                self._objects.delete(each.key)

    def _counts(self, key: str, path: str) -> bool:
        """False where the sums are gone: a vacuum runs."""
        try:
            return path in self._read(key)["files"]
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return False

    def _read(self, key: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._objects.read(key))
        return content

    def publish(self, version: int, committed_at: datetime, paths: Mapping[str, Sequence[str]]) -> bool:
        """Make the sums of this version the current ones. `paths` are its data files by month.

        False where this version or a newer one is current already: of two writers the newer one wins.
        """
        keys = {month: _key(files) for month, files in sorted(paths.items())}
        body = json.dumps(asdict(CurrentTotals(version, committed_at.isoformat(), keys))).encode()
        for _ in range(_ATTEMPTS):
            current, etag = self._read_current()
            if current and current.version >= version:
                return False
            if self._replace_current(body, etag):
                return True
        raise Unavailable("the lake's sums are being written by too many at once")

    def vacuum(self, grace: timedelta) -> int:
        """Delete the sums that are not current and older than `grace`."""
        current = self.current()
        kept = {_CURRENT, *(current.months.values() if current else ())}
        limit = datetime.now(UTC) - grace
        listed = list(self._objects.objects(_FOLDER))
        old = [each.key for each in listed if each.key not in kept and each.written_at < limit]
        for key in old:
            self._objects.delete(key)
        return len(old)

    def _read_current(self) -> tuple[CurrentTotals | None, str | None]:
        try:
            with translate_errors("S3"):
                answer = self._s3.get_object(Bucket=self._bucket, Key=_CURRENT)
                body, etag = answer["Body"].read(), answer["ETag"]
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return None, None
        return CurrentTotals(**json.loads(body)), etag

    def _replace_current(self, body: bytes, etag: str | None) -> bool:
        """False where somebody else replaced it since `etag`, or created it."""
        try:
            with translate_errors("S3"):
                if etag is None:
                    self._s3.put_object(Bucket=self._bucket, Key=_CURRENT, Body=body, IfNoneMatch="*")
                else:
                    self._s3.put_object(Bucket=self._bucket, Key=_CURRENT, Body=body, IfMatch=etag)
        except ClientError as error:
            if error_code(error) != "PreconditionFailed":
                raise
            return False
        return True


def _key(paths: Sequence[str]) -> str:
    """`paths` are those of a month's data files in the table, in any order."""
    return f"{_folder(paths[0])}{blake2b(' '.join(sorted(paths)).encode(), digest_size=16).hexdigest()}.json"


def _folder(path: str) -> str:
    """Where the sums of the data file's month are."""
    return f"{_FOLDER}{path.rpartition('/')[0]}/"
