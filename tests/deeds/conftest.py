"""The clinics of the roster's and the identity check's tests."""

from tests.identity.conftest import house as house
from tests.identity.conftest import open_house as open_house
from tests.patients.conftest import clinic as clinic
