"""What POST /ingest answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from pipeline_api.problems import RowFault


class IngestAnswer(BaseModel):
    """The accepted rows are on the stream; each refused one is named in `errors` at least once."""

    batch_id: Annotated[str, Field(description="Names this batch through the whole pipeline.")]
    accepted: Annotated[int, Field(ge=1, description="Rows taken.")]
    rejected: Annotated[int, Field(ge=0, description="Rows refused.")]
    errors: list[RowFault]
