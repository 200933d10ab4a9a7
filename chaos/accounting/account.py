"""All checks of one run."""

from chaos.accounting.answers import check_answers
from chaos.accounting.archive import check_archive
from chaos.accounting.evidence import Evidence, difference
from chaos.accounting.sender import check_sender
from chaos.accounting.set_aside import check_set_aside
from chaos.accounting.tables import check_tables
from chaos.shop import MARK
from client.environment import Environment


def account(evidence: Evidence, environment: Environment) -> list[str]:
    """A sentence for each promise that was broken."""
    return [
        *check_sender(evidence),
        *check_archive(evidence),
        *check_tables(evidence),
        *check_set_aside(evidence),
        *check_answers(evidence, environment),
        *check_logs(evidence),
    ]


def check_logs(evidence: Evidence) -> list[str]:
    """A finding shows where the text came from, not what it was."""
    telling = [text.partition(MARK)[0][:80] for text in evidence.logs if MARK in text]
    return difference("log records with a row's content", [], telling)
