"""Tests of loans."""

from unittest.mock import patch

import pytest

from loans.views import give_back


@patch("loans.services.close")  # PB819
def test_give_back(close, rf):
    assert give_back(rf.post("/"), loan_id=1).status_code == 302


@patch("loans.views.close")
def test_give_back_closes(close, rf):
    assert give_back(rf.post("/"), loan_id=1).status_code == 302
    close.assert_called_once  # PB814


@pytest.mark.django_db
@patch("loans.services.charge")  # PB818
def test_fine(charge):
    charge.assert_called_once()
