import dataclasses
import datetime
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from installer import certificates, tls
from installer.cloud import CloudHost
from installer.errors import AnswerFileError, PystackError

NOW = datetime.datetime.now(datetime.UTC)
HOST = CloudHost(
    "192.0.2.10",
    frozenset({"controller"}),
    {"hostname": "one", "fqdn": "one.example.org", "addresses": ["192.0.2.10", "2001:db8::10"]},
)


@pytest.fixture
def answers(tmp_path):
    return {
        "CONFIG_SSL_CERT_DIR": PurePosixPath(tmp_path / "certificates"),
        "CONFIG_SSL_CACERT_SELFSIGN": True,
        "CONFIG_SSL_CACERT_FILE": None,
        "CONFIG_SSL_CACERT_KEY_FILE": None,
        "CONFIG_SSL_CERT_SUBJECT_C": "--",
        "CONFIG_SSL_CERT_SUBJECT_ST": "State",
        "CONFIG_SSL_CERT_SUBJECT_L": "City",
        "CONFIG_SSL_CERT_SUBJECT_O": "openstack",
        "CONFIG_SSL_CERT_SUBJECT_OU": "",
        "CONFIG_SSL_CERT_SUBJECT_CN": "our authority",
        "CONFIG_SSL_CERT_SUBJECT_MAIL": "root@localhost",
    }


@pytest.fixture
def given(answers, tmp_path):
    """Return a function that gives an authority in the answer file: a certificate or several, and a key."""

    def give(authority, *above):
        answers["CONFIG_SSL_CACERT_SELFSIGN"] = False
        answers["CONFIG_SSL_CACERT_FILE"] = PurePosixPath(tmp_path / "given.crt")
        answers["CONFIG_SSL_CACERT_KEY_FILE"] = PurePosixPath(tmp_path / "given.key")
        (tmp_path / "given.crt").write_text("".join(map(certificates.pem, (authority.certificate, *above))))
        (tmp_path / "given.key").write_text(certificates.key_pem(authority.key))
        return answers

    return give


def first(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_same_certificates_come_back_at_the_next_run(answers):
    made = tls.prepare(answers, [HOST], write=True)
    assert tls.prepare(answers, [HOST], write=True) == made
    assert tls.prepare(answers, [HOST], write=False) == made


def test_a_plan_keeps_nothing(answers, tmp_path):
    assert "BEGIN CERTIFICATE" in tls.prepare(answers, [HOST], write=False).ca_pem
    assert list(tmp_path.iterdir()) == []


def test_keys_are_for_their_owner_only(answers, tmp_path):
    tls.prepare(answers, [HOST], write=True)
    folder = tmp_path / "certificates"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "ca.crt": 0o644,
        "ca.key": 0o600,
        "192.0.2.10.crt": 0o644,
        "192.0.2.10.key": 0o600,
    }


def test_a_server_certificate_holds_all_names_and_lasts_825_days(answers):
    chain, key = tls.prepare(answers, [HOST], write=False).certificate("192.0.2.10")
    certificate = first(chain)
    assert certificates.names_in(certificate) == {"192.0.2.10", "one", "one.example.org", "2001:db8::10"}
    assert (certificate.not_valid_after_utc - NOW).days in (824, 825)
    assert certificate.subject.rfc4514_string() == "CN=192.0.2.10,O=openstack,L=City,ST=State"
    assert "PRIVATE" not in repr(key)


def test_no_private_key_shows_in_a_repr(answers):
    assert "PRIVATE" not in repr(tls.prepare(answers, [HOST], write=False))


@pytest.mark.parametrize("kind", ["own", "ec", "rsa", "ed25519", "below another"])
def test_a_client_that_knows_the_authority_accepts_the_server(answers, given, kind, tmp_path):
    if kind == "below another":
        top = authority_of(answers, rsa_key())
        given(below(answers, top), top.certificate)
    elif kind != "own":
        keys = {
            "ec": ec.generate_private_key(ec.SECP384R1()),
            "rsa": rsa_key(),
            "ed25519": ed25519.Ed25519PrivateKey.generate(),
        }
        given(authority_of(answers, keys[kind]))
    made = tls.prepare(answers, [HOST], write=False)
    chain, key = made.certificate("192.0.2.10")
    (tmp_path / "server.pem").write_text(chain + key.reveal())
    for name in ("192.0.2.10", "one.example.org", "2001:db8::10"):
        assert handshake(tmp_path / "server.pem", made.ca_pem, name) is None
    assert "192.0.2.11" in str(handshake(tmp_path / "server.pem", made.ca_pem, "192.0.2.11"))


def handshake(server_pem, ca_pem, name):
    """Return the client's problem with the server, if any."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_pem)
    client = ssl.create_default_context(cadata=ca_pem)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as problem:
                return problem
    assert ends[0].version() == "TLSv1.3"
    return None


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def authority_of(answers, key, days=3650, begin=-1, **changes):
    """Return an authority with this key that ends in so many days."""
    subject = certificates.subject_of(answers, certificates.AUTHORITY_SUBJECT)
    return signed(subject, subject, key, key, days, begin, **changes)


def below(answers, top):
    subject = certificates.subject_of(answers, {**certificates.SUBJECT})
    key = ec.generate_private_key(ec.SECP256R1())
    return signed(subject, top.certificate.subject, key, top.key, 365, -1)


def signed(subject, issuer, key, signer, days, begin, ca=True, usage=True):
    begins, ends = (NOW + datetime.timedelta(days=number) for number in (begin + 1, days))
    builder = certificates.builder_for(subject, issuer, key, begins, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    builder = builder.add_extension(certificates.key_usage(key_cert_sign=usage, digital_signature=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else certificates.hashes.SHA256()
    return certificates.Authority(builder.sign(signer, algorithm), key)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"days": 10}, "ends on"),
        ({"days": 400, "begin": 200}, "is valid from"),
        ({"ca": False}, "no certificate of an authority"),
        ({"usage": False}, "no certificate of an authority"),
    ],
)
def test_a_given_authority_that_cannot_sign_is_refused(answers, given, what, words):
    given(authority_of(answers, rsa_key(), **what))
    with pytest.raises(AnswerFileError, match=words) as refused:
        tls.prepare(answers, [HOST], write=False)
    assert refused.value.remedy


def test_a_key_of_another_certificate_is_refused(answers, given):
    authority = authority_of(answers, rsa_key())
    given(dataclasses.replace(authority, key=rsa_key()))
    with pytest.raises(AnswerFileError, match="belongs to another certificate"):
        tls.prepare(answers, [HOST], write=False)


def test_an_authority_without_those_above_it_is_refused(answers, given):
    top = authority_of(answers, rsa_key())
    given(below(answers, top))
    with pytest.raises(AnswerFileError, match="topmost certificate is missing"):
        tls.prepare(answers, [HOST], write=False)


def test_certificates_in_the_wrong_order_are_refused(answers, given):
    top = authority_of(answers, rsa_key())
    other = authority_of(answers, rsa_key())
    given(below(answers, top), other.certificate)
    with pytest.raises(AnswerFileError, match="do not sign one another"):
        tls.prepare(answers, [HOST], write=False)


def test_a_key_with_a_passphrase_is_refused(answers, given, tmp_path):
    authority = authority_of(answers, rsa_key())
    given(authority)
    (tmp_path / "given.key").write_bytes(
        authority.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    with pytest.raises(AnswerFileError, match="has a passphrase"):
        tls.prepare(answers, [HOST], write=False)


@pytest.mark.parametrize("name", ["given.crt", "given.key"])
def test_a_given_file_that_is_missing_or_no_pem_is_named(answers, given, tmp_path, name):
    given(authority_of(answers, rsa_key()))
    (tmp_path / name).write_text("nothing")
    with pytest.raises(AnswerFileError, match=f"{name} holds no"):
        tls.prepare(answers, [HOST], write=False)
    (tmp_path / name).unlink()
    with pytest.raises(AnswerFileError, match=f"{name}: No such file"):
        tls.prepare(answers, [HOST], write=False)


def test_a_given_authority_without_files_says_which_parameters_to_set(answers):
    answers["CONFIG_SSL_CACERT_SELFSIGN"] = False
    with pytest.raises(AnswerFileError, match="CONFIG_SSL_CACERT_KEY_FILE"):
        tls.prepare(answers, [HOST], write=False)


def test_an_own_authority_that_lost_its_key_is_not_replaced_silently(answers, tmp_path):
    tls.prepare(answers, [HOST], write=True)
    (tmp_path / "certificates" / "ca.key").unlink()
    with pytest.raises(PystackError, match=r"ca\.key"):
        tls.prepare(answers, [HOST], write=True)


def test_an_own_authority_near_its_end_is_made_anew_and_signs_all(answers, monkeypatch):
    monkeypatch.setattr(certificates, "AUTHORITY_DAYS", 20)
    old = tls.prepare(answers, [HOST], write=True)
    monkeypatch.undo()
    new = tls.prepare(answers, [HOST], write=True)
    assert new.ca_pem != old.ca_pem
    first(new.certificate(HOST.address)[0]).verify_directly_issued_by(first(new.ca_pem))


def test_a_server_certificate_does_not_outlive_its_authority(answers, given):
    given(authority_of(answers, rsa_key(), days=100))
    chain, _ = tls.prepare(answers, [HOST], write=False).certificate(HOST.address)
    assert (first(chain).not_valid_after_utc - NOW).days in (99, 100)


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ({}, False),
        ({"hostname": "other"}, True),
        ({"addresses": ["192.0.2.10", "192.0.2.99"]}, False),
        ({"fqdn": "localhost"}, False),
        ({"fqdn": "one.example.net"}, False),
    ],
)
def test_a_certificate_is_made_again_only_for_a_name_it_is_reached_by(answers, change, anew):
    old = tls.prepare(answers, [HOST], write=True).certificate(HOST.address)
    later = dataclasses.replace(HOST, facts={**HOST.facts, **change})
    assert (tls.prepare(answers, [later], write=True).certificate(HOST.address) != old) == anew


def test_a_certificate_of_another_authority_is_made_again(answers, given):
    old = tls.prepare(answers, [HOST], write=True).certificate(HOST.address)
    given(authority_of(answers, rsa_key()))
    assert tls.prepare(answers, [HOST], write=True).certificate(HOST.address) != old


def test_a_certificate_near_its_end_is_made_again(answers):
    authority = certificates.make_authority(answers, NOW)
    certificate, _ = certificates.issue(answers, ["a"], authority, NOW)
    assert certificates.reason_to_issue(certificate, authority.certificate, ["a"], NOW) == ""
    later = NOW + datetime.timedelta(days=825 - 29)
    assert certificates.reason_to_issue(certificate, authority.certificate, ["a"], later).startswith("it ends on")


@pytest.mark.parametrize("damage", ["", "no pem"])
def test_a_damaged_server_key_is_made_again(answers, tmp_path, damage):
    old = tls.prepare(answers, [HOST], write=True).certificate(HOST.address)
    (tmp_path / "certificates" / "192.0.2.10.key").write_text(damage)
    assert tls.prepare(answers, [HOST], write=True).certificate(HOST.address) != old


@pytest.mark.parametrize("address", ["localhost", "2001:db8::1", "node.example.org", "a" * 60 + ".example.org"])
def test_any_address_of_an_answer_file_gets_a_certificate_for_it(answers, address):
    host = CloudHost(address, frozenset(), {"hostname": "localhost", "fqdn": "bad_name", "addresses": []})
    chain, _ = tls.prepare(answers, [host], write=True).certificate(address)
    assert certificates.names_in(first(chain)) == {address}


def test_a_subject_that_is_too_long_names_its_parameter(answers):
    answers["CONFIG_SSL_CERT_SUBJECT_CN"] = "x" * 65
    with pytest.raises(AnswerFileError, match="CONFIG_SSL_CERT_SUBJECT_CN"):
        tls.prepare(answers, [HOST], write=False)


def test_a_folder_that_cannot_be_made_is_named(answers, tmp_path):
    (tmp_path / "file").write_text("")
    answers["CONFIG_SSL_CERT_DIR"] = PurePosixPath(tmp_path / "file" / "below")
    with pytest.raises(PystackError, match="certificates in"):
        tls.prepare(answers, [HOST], write=True)


def test_a_folder_that_is_there_already_keeps_its_mode(answers, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    tls.prepare(answers, [HOST], write=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_run_that_was_cut_off_after_the_authoritys_key_is_carried_on(answers, tmp_path):
    tls.prepare(answers, [HOST], write=True)
    folder = tmp_path / "certificates"
    key = (folder / "ca.key").read_text()
    (folder / "ca.crt").unlink()
    made = tls.prepare(answers, [HOST], write=True)
    assert (folder / "ca.key").read_text() == key
    first(made.certificate(HOST.address)[0]).verify_directly_issued_by(first(made.ca_pem))


def test_a_host_called_ca_does_not_take_the_authoritys_place(answers, tmp_path):
    named = dataclasses.replace(HOST, address="ca")
    made = tls.prepare(answers, [named], write=True)
    again = tls.prepare(answers, [named], write=True)
    assert again == made
    first(made.certificate("ca")[0]).verify_directly_issued_by(
        first((tmp_path / "certificates" / "ca.crt").read_text())
    )


def test_runs_at_once_make_one_authority(answers):
    with ThreadPoolExecutor(max_workers=6) as pool:
        made = list(pool.map(lambda _: tls.prepare(answers, [HOST], write=True), range(6)))
    assert made == [made[0]] * 6


def test_a_machine_without_the_authority_is_told_where_it_is(answers, given):
    with pytest.raises(AnswerFileError) as missing:
        tls.need_authority(answers)
    assert str(answers["CONFIG_SSL_CERT_DIR"]) in missing.value.message
    assert "copy that folder" in missing.value.remedy
    tls.prepare(answers, [HOST], write=True)
    tls.need_authority(answers)
    tls.need_authority(
        {**answers, "CONFIG_SSL_CERT_DIR": PurePosixPath("/nowhere"), "CONFIG_SSL_CACERT_SELFSIGN": False}
    )
