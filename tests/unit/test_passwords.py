"""Passwords: right, wrong, and nobody's."""

from argon2 import PasswordHasher, extract_parameters

from commonwatt.adapters.passwords import Argon2Passwords

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_the_right_password_and_no_other() -> None:
    passwords = Argon2Passwords(QUICK)
    password_hash = passwords.hash("œuf à la coque")
    assert passwords.verify("œuf à la coque", password_hash)
    assert not passwords.verify("oeuf à la coque", password_hash)


def test_nobody_signs_in_not_even_by_the_stand_in() -> None:
    passwords = Argon2Passwords(QUICK)
    assert not passwords.verify("nobody signs in by this", None)


def test_two_hashes_of_a_password_differ() -> None:
    passwords = Argon2Passwords(QUICK)
    assert passwords.hash("same") != passwords.hash("same")


def test_a_hash_with_other_parameters_is_outdated() -> None:
    old = QUICK.hash("x")
    assert Argon2Passwords().is_outdated(old)
    assert not Argon2Passwords(QUICK).is_outdated(old)


def test_what_is_stored_is_argon2id_of_three_passes_over_64_mib() -> None:
    parameters = extract_parameters(Argon2Passwords().hash("x"))
    assert parameters.type.name == "ID"
    assert (parameters.time_cost, parameters.memory_cost) == (3, 65536)
