"""Templates for tests: the project's own, and small ones from a test's text."""

from functools import cache
from pathlib import Path
from textwrap import dedent

from local_runtime.stack.template import Template, read_template

PROJECT_TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@cache
def project_template() -> Template:
    """Read once for a process; nobody changes it."""
    return read_template(PROJECT_TEMPLATE)


def template_of(folder: Path, text: str) -> Template:
    path = folder / "template.yaml"
    path.write_text(dedent(text))
    return read_template(path)


def changed_template(folder: Path, old: str, new: str) -> Template:
    """The project's own template with one text replaced."""
    return template_of(folder, PROJECT_TEMPLATE.read_text().replace(old, new))
