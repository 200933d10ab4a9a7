"""How far a replay came, in a small file: what it was asked for, and the last key that is done."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline_ops.errors import OpsError


class Target(BaseModel):
    """What a replay reads and where it writes: a file of another target is not gone on with."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    invoices_table: str
    customers_table: str
    start: str | None = None
    end: str | None = None


class _Done(BaseModel):
    target: Target
    last_key: str


class ProgressFile:
    """Replaced as a whole after each object, so that it is never half written."""

    def __init__(self, path: Path, target: Target) -> None:
        self._path = path
        self._target = target

    def last_key(self) -> str:
        """Empty text if nothing is done yet. Raises OpsError for a file that is not of this replay."""
        try:
            done = _Done.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ""
        except (OSError, ValidationError) as error:
            raise OpsError(
                f"{self._path.name} is no progress file of a replay; name another with --progress."
            ) from error
        if done.target != self._target:
            raise OpsError(
                f"{self._path.name} is of a replay with other tables or times; name another with --progress."
            )
        return done.last_key

    def done(self, key: str) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            beside.write_text(_Done(target=self._target, last_key=key).model_dump_json(indent=2))
            beside.replace(self._path)
        except OSError as error:
            raise OpsError(f"{self._path} cannot be written: {error.strerror}.") from error

    def finished(self) -> None:
        """The next replay starts from the beginning."""
        self._path.unlink(missing_ok=True)
