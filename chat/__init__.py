"""A chat service whose answers survive a reload: `uvicorn --factory chat:create_app`.

README.md, beside this file, has the API, the settings, and how to put your model in.
"""

from .app import create_app
from .settings import Settings

__all__ = ["Settings", "create_app"]
