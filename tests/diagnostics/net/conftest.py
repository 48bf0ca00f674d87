"""Share one made-up certificate authority among the network tests; making keys is the slow part."""

import pytest

from tests.diagnostics.net.peers import Issued, issue


@pytest.fixture(scope="session")
def root() -> Issued:
    """Return a root that no system trusts."""
    return issue("Made-up Root", authority=True)
