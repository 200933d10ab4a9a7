"""Which customers are erased: known by a keyed hash, and by when a row arrived."""

from aws.erasures import Erasures, Statement, keyed_hash

KEY = bytes(32)
CUSTOMER = keyed_hash(KEY, "17850")


def test_a_hash_needs_the_secret_key() -> None:
    """An id has few digits: without a key anybody could hash them all and compare."""
    assert keyed_hash(b"another key" + bytes(21), "17850") != CUSTOMER


def test_a_row_that_arrives_after_the_end_is_new_business() -> None:
    """An erasure without an end covers every row, and a row counts as old if nobody knows when it arrived."""
    ended = Erasures(KEY, [Statement(CUSTOMER, 0, 10, keeps_lines=False)])
    running = Erasures(KEY, [Statement(CUSTOMER, 0, None, keeps_lines=False)])
    assert [bool(ended.covering(at)) for at in (9.9, 10, None)] == [True, False, True]
    assert running.covering(10**10)


def test_the_first_erasure_of_a_customer_decides_about_old_rows() -> None:
    """What the first one removed must not come back as a line that the second one keeps."""
    erasures = Erasures(
        KEY, [Statement(CUSTOMER, 0, 10, keeps_lines=False), Statement(CUSTOMER, 20, 30, keeps_lines=True)]
    )
    covering = [erasures.covering(at) for at in (5, 15)]
    assert [customers and customers.keeps_lines("17850") for customers in covering] == [False, True]
