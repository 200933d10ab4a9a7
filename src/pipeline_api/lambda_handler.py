"""The entry for Lambda, behind an HTTP API or a REST API."""

import gc

gc.disable()  # nothing that an import makes is garbage: looking for some takes a tenth of a cold start

import os

from mangum import Mangum

from pipeline_api.middleware import StagePrefix
from pipeline_api.production import production_app
from pipeline_api.running import inline

_TEXT_TYPES = ["text/", "application/json", "application/problem+json"]

handler = Mangum(
    StagePrefix(production_app(os.environ, inline)),
    lifespan="off",  # "auto" would start the application anew for every request
    text_mime_types=_TEXT_TYPES,
)

gc.freeze()  # what was imported stays for good: the collector need not walk through it again for every batch
gc.enable()
