"""An answer as JSON, written once by compiled code."""

from fastapi import Response
from pydantic import BaseModel


def json_answer(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
