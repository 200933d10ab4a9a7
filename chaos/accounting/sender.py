"""What the client told its user: accepted and rejected are all rows of the file, and each reject is named."""

from chaos.accounting.evidence import Evidence, difference

_FIRST_ROW_LINE = 2


def check_sender(evidence: Evidence) -> list[str]:
    return [*_counts(evidence), *_rejects(evidence), *_answers(evidence)]


def _counts(evidence: Evidence) -> list[str]:
    stats = evidence.uploaded.summary.stats
    good = sum(row.fact is not None for row in evidence.rows)
    expected = (len(evidence.rows), good, len(evidence.rows) - good, 0)
    told = (stats.rows_read, stats.accepted, stats.rejected, stats.not_sent)
    return [] if expected == told else [f"the client told (read, accepted, rejected, not sent) {told}, not {expected}"]


def _rejects(evidence: Evidence) -> list[str]:
    """Each with its line and the field that is at fault."""
    rows = enumerate(evidence.rows, start=_FIRST_ROW_LINE)
    expected = [(str(line), row.refused_for) for line, row in rows if row.fact is None]
    told = [(line, field) for line, field, _reason, *_ in evidence.uploaded.rejects]
    silent = [line for line, _field, reason, *_ in evidence.uploaded.rejects if not reason]
    return [*difference("rejects", expected, told), *difference("rejects without a reason", [], silent)]


def _answers(evidence: Evidence) -> list[str]:
    """No false success: what was answered is on the stream. Nothing else of ours is on it than what was sent."""
    put = {key for key, _ in evidence.put}
    lost = set(evidence.uploaded.answered) - put
    unknown = put - evidence.asked
    return [
        *difference("batches answered, but not on the stream", [], lost),
        *difference("batches on the stream that nobody sent", [], unknown),
    ]
