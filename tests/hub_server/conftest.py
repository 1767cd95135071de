"""What the tests of the Hub share."""

import pytest
from huggingface_hub import HfApi

from .server import HubServer


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    """Somebody who may write."""
    return HfApi(token=hub.add_user("me"))
