"""The example in the package's docstring is run as it stands."""

import doctest

from local_runtime import event_source_mapping


def test_the_example_of_the_package_runs() -> None:
    """So whoever copies it has something that works."""
    failed, attempted = doctest.testmod(event_source_mapping)

    assert failed == 0
    assert attempted > 5
