"""ministack's application, which here forgets an iterator of a stream after five seconds.

By default it keeps each one for five minutes, as Kinesis does, and looks through all of them at every call: a pipeline
that reads ten times a second has 3,000 of them, and these cost half a core while no row comes in. Whoever reads with an
expired iterator asks for a new one, as on AWS.
"""

from ministack.app import app
from ministack.services import kinesis

__all__ = ["app"]

kinesis.ITERATOR_EXPIRY_SECONDS = 5
