"""Whether the process answers. It asks no other service: a slow table must not take the API down."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The API answers."""

    status: Annotated[Literal["ok"], Field(examples=["ok"])] = "ok"


@router.get("/healthz", summary="Is the API up?", operation_id="health")
async def health() -> Health:
    """Answers without asking any other service."""
    return Health()
