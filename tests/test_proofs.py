"""What is too long for `make test` has passed on the present code."""

import pytest

from . import proofs


def test_every_proof_was_made_on_the_present_code(all_proofs):
    if not all_proofs:
        pytest.skip("a run of all tests knows the proofs, a run of this file does not")
    stale = [proofs.name(item) for item in all_proofs if proofs.is_stale(item)]
    assert not stale, f"run make prove: {stale}"


def test_every_note_is_of_a_proof_that_is_there(all_proofs, request):
    if request.config.args not in ([], ["tests"]):
        pytest.skip("only a run of all tests knows all proofs")
    assert set(proofs.recorded()) == {proofs.name(item) for item in all_proofs}
