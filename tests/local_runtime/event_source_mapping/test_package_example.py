"""The example in the package's docstring works."""

import doctest

from local_runtime import event_source_mapping


def test_the_example_of_the_package_runs() -> None:
    """A user can copy it."""
    failed, attempted = doctest.testmod(event_source_mapping)

    assert failed == 0
    assert attempted > 5
