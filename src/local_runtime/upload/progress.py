"""How far the rows have come: sent and accepted as the client says, archived and indexed as the consumers do."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from local_runtime.upload.messages import Acknowledged, BatchAnswered, Message, UploadSummary

_STAGE_LABELS = {"to_s3": "archived", "to_dynamodb": "indexed"}


@dataclass
class Stage:
    """Rows that have passed one stage; `seconds` is when the last of them did, since the upload began."""

    label: str
    rows: int = 0
    seconds: float = 0.0
    lag_ms: float | None = None
    batches: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0

    def add(self, rows: int, seconds: float) -> None:
        if rows:
            self.rows += rows
            self.seconds = seconds


class Progress:
    """What is known so far. A consumer may acknowledge a batch before the client has heard that it was accepted."""

    def __init__(self, consumers: Iterable[str]) -> None:
        self.sent = Stage("sent")
        self.accepted = Stage("accepted")
        self.consumed = {name: Stage(_STAGE_LABELS.get(name, name)) for name in consumers}
        self.summary: UploadSummary | None = None
        self._accepted_rows: dict[str, int] = {}
        self._file_fraction = 0.0

    @property
    def stages(self) -> list[Stage]:
        return [self.sent, self.accepted, *self.consumed.values()]

    @property
    def total(self) -> int:
        """Rows in the file: as the client has counted, or estimated from how much of the file it has read."""
        if self.summary:
            return self.summary.rows_read
        return round(self.sent.rows / self._file_fraction) if self._file_fraction else 0

    @property
    def rows_moved(self) -> int:
        """Grows as long as anything gets on."""
        return sum(stage.rows for stage in self.stages)

    @property
    def missing_rows(self) -> int:
        """Accepted rows that are still before some consumer: neither acknowledged nor discarded."""
        return sum(self.accepted.rows - stage.rows - self._discarded_rows(stage) for stage in self.consumed.values())

    def _discarded_rows(self, stage: Stage) -> int:
        return sum(self._accepted_rows.get(batch_id, 0) for batch_id in stage.discarded - stage.batches)

    def note(self, message: Message, seconds: float) -> None:
        match message:
            case BatchAnswered():
                self._note_answer(message, seconds)
            case Acknowledged():
                self._note_acknowledged(message, seconds)
            case UploadSummary():
                self.summary = message

    def _note_answer(self, answer: BatchAnswered, seconds: float) -> None:
        self._file_fraction = max(self._file_fraction, answer.file_fraction)
        self._accepted_rows[answer.batch_id] = answer.accepted
        self.sent.add(answer.rows, seconds)
        self.accepted.add(answer.accepted, seconds)
        for stage in self.consumed.values():
            if answer.batch_id in stage.batches:
                stage.add(answer.accepted, seconds)

    def _note_acknowledged(self, message: Acknowledged, seconds: float) -> None:
        stage = self.consumed[message.stage]
        stage.lag_ms = message.iterator_age_ms
        stage.discarded.update(message.discarded)
        for batch_id in set(message.acknowledged) - stage.batches:
            stage.batches.add(batch_id)
            stage.add(self._accepted_rows.get(batch_id, 0), seconds)
