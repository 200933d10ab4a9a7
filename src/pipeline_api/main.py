"""The entry point for a server: `uvicorn pipeline_api.main:app`."""

import os
import sys

from starlette.concurrency import run_in_threadpool

from aws.settings import MissingSettingError
from pipeline_api.production import production_app

try:
    app = production_app(os.environ, run_in_threadpool)
except MissingSettingError as error:
    sys.exit(str(error))
