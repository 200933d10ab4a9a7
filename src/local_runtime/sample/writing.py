"""A CSV like the Online Retail data set, made by rule: the same seed and number of rows give the same bytes.

Every oddity of the real data is in it, in like proportions: rows without a customer or a description, spaces, quotes,
commas and pounds in descriptions, cancellations, bad debts, free and negative and extreme prices, repeated rows,
repeated stock codes, an invoice of more than a thousand lines, a customer with hundreds of invoices.
"""

import csv
from itertools import islice
from pathlib import Path

from local_runtime.errors import RunError
from local_runtime.sample.invoices import COLUMNS, sample_rows

DEFAULT_ROWS = 20_000
ENCODING = "cp1252"


def write_sample(path: Path, rows: int = DEFAULT_ROWS) -> None:
    """Memory stays flat, whatever the number of rows. Raises RunError where the file cannot be written."""
    try:
        with path.open("w", encoding=ENCODING, newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(COLUMNS)
            writer.writerows(islice(sample_rows(), rows))
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
