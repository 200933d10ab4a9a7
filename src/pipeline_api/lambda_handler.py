"""The entry point for Lambda, behind an HTTP API or a REST API."""

import gc

gc.disable()  # imports create no garbage; collections would take a tenth of a cold start

import os

from pydantic import BaseModel

BaseModel.model_config["defer_build"] = True  # until the first request for /openapi.json, which alone needs them:
import fastapi.openapi.models  # noqa: F401 - a seventh of a cold start

del BaseModel.model_config["defer_build"]

from mangum import Mangum

from pipeline_api.asgi import StagePrefix, run_inline
from pipeline_api.production import production_app

handler = Mangum(
    StagePrefix(production_app(os.environ, run_inline)),
    lifespan="off",  # "auto" would run start-up for each request
    text_mime_types=["text/", "application/json", "application/problem+json"],
)

gc.freeze()  # imported objects are never freed, so collections need not visit them
gc.enable()
