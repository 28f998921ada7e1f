"""The site's own certificates: what is in them, what stays when they are renewed, and what the authority can't do."""

import ipaddress
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from gatekeeper.access import tls
from gatekeeper.access.certificate import Certificate
from gatekeeper.access.tls import Names, names_of
from gatekeeper.addresses import place
from gatekeeper.errors import ConfigurationError

NOW = datetime.now(UTC).replace(microsecond=0)
MACHINE = names_of(["porch", "porch.local", "localhost", "127.0.0.1", "::1", "192.168.1.2", "fe80::1"])


def issue(folder: Path, *asked: str, machine: Names = MACHINE, now: datetime = NOW) -> tls.Issued:
    return tls.issue(folder, machine, names_of(asked), now)


def load(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def alternatives(certificate: x509.Certificate) -> Names:
    names: Any = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return Names(tuple(names.get_values_for_type(x509.DNSName)), tuple(names.get_values_for_type(x509.IPAddress)))


def shake(server: Any, folder: Path, host: str) -> None:
    """Shake hands in memory, as a client that trusts the authority and asks for a host."""
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    (down, up), (a, b) = (ssl.MemoryBIO(), ssl.MemoryBIO()), (False, False)
    ours = client.wrap_bio(down, up, server_hostname=host)
    theirs = server.wrap_bio(up, down, server_side=True)
    while not (a and b):
        a, b = a or _step(ours), b or _step(theirs)


def _step(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def serving(folder: Path, certificate: str = "server.pem", key: str = "server.key") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / certificate, folder / key)
    return context


# --- what is made ---


def test_the_first_time_makes_the_authority_and_the_certificate(tmp_path: Path) -> None:
    issued = issue(tmp_path / "tls", "gate.lan", "192.168.1.9")
    folder = tmp_path / "tls"
    assert {file.name for file in folder.iterdir()} == {"ca.pem", "ca.key", "server.pem", "server.key"}
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("ca.key", "server.key")} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert issued.is_new
    assert issued.authority == folder / "ca.pem"
    assert alternatives(load(folder / "server.pem")) == issued.names
    assert issued.names.hosts == ("gate.lan", "porch", "porch.local", "localhost")
    assert set(issued.names.addresses) == {*MACHINE.addresses, ipaddress.ip_address("192.168.1.9")}
    digest = load(folder / "ca.pem").fingerprint(hashes.SHA256()).hex()
    assert issued.fingerprint.replace(":", "").lower() == digest


@pytest.mark.parametrize("host", ["porch", "porch.local", "localhost", "127.0.0.1", "::1", "192.168.1.2"])
def test_a_client_that_trusts_the_authority_takes_the_certificate(tmp_path: Path, host: str) -> None:
    issue(tmp_path)
    shake(serving(tmp_path), tmp_path, host)


@pytest.mark.parametrize("host", ["other.local", "192.168.1.3", "gate.example"])
def test_and_for_no_other_name(tmp_path: Path, host: str) -> None:
    issue(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake(serving(tmp_path), tmp_path, host)


def test_lives_are_what_browsers_take(tmp_path: Path) -> None:
    issued = issue(tmp_path)
    server, authority = load(tmp_path / "server.pem"), load(tmp_path / "ca.pem")
    life = server.not_valid_after_utc - server.not_valid_before_utc
    assert timedelta(days=396) < life <= timedelta(days=397)
    assert server.not_valid_before_utc < NOW
    assert issued.ends == server.not_valid_after_utc
    assert authority.not_valid_after_utc - NOW > timedelta(days=3650)


def test_each_certificate_says_what_it_is_for(tmp_path: Path) -> None:
    issue(tmp_path)
    server, authority = load(tmp_path / "server.pem"), load(tmp_path / "ca.pem")
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    for certificate in (server, authority):
        assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    server.verify_directly_issued_by(authority)


def test_openssl_finds_nothing_to_say_against_it(tmp_path: Path) -> None:
    issue(tmp_path)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "server.pem"]
    try:
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl here")
    assert told.stdout == "server.pem: OK\n", told.stderr


# --- what a thief of the authority's key can do ---


@pytest.mark.parametrize("name", ["bank.example", "evil-porch.com", "notlocalhost"])
def test_what_the_authority_signs_for_a_public_name_is_refused(tmp_path: Path, name: str) -> None:
    issue(tmp_path)
    _forge(tmp_path, x509.DNSName(name))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake(serving(tmp_path, "forged.pem"), tmp_path, name)


def test_what_it_signs_for_a_public_address_is_refused(tmp_path: Path) -> None:
    issue(tmp_path)
    _forge(tmp_path, x509.IPAddress(ipaddress.ip_address("1.1.1.1")))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake(serving(tmp_path, "forged.pem"), tmp_path, "1.1.1.1")


def _forge(folder: Path, name: x509.GeneralName) -> None:
    key: Any = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    server: Any = serialization.load_pem_private_key((folder / "server.key").read_bytes(), None)
    authority = load(folder / "ca.pem")
    forged = (
        x509.CertificateBuilder(
            authority.subject, x509.Name([]), server.public_key(), 5, NOW - timedelta(1), NOW + timedelta(5)
        )
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "forged.pem").write_bytes(forged.public_bytes(serialization.Encoding.PEM))


# --- again ---


def test_renewing_keeps_the_authority_the_key_and_the_names(tmp_path: Path) -> None:
    issue(tmp_path, "gate.lan")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    later = issue(tmp_path, now=NOW + timedelta(days=300))
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert not later.is_new
    assert {name for name in before if before[name] != after[name]} == {"server.pem"}
    assert "gate.lan" in later.names.hosts
    assert load(tmp_path / "server.pem").not_valid_after_utc > NOW + timedelta(days=690)


def test_a_new_address_of_the_machine_comes_in_and_the_old_one_goes(tmp_path: Path) -> None:
    issue(tmp_path)
    issued = issue(tmp_path, machine=names_of(["porch", "10.0.0.7"]))
    assert issued.names.addresses == (ipaddress.ip_address("10.0.0.7"),)


def test_what_the_machine_is_called_in_public_later_is_left_out_and_told(tmp_path: Path) -> None:
    issue(tmp_path)
    issued = issue(tmp_path, machine=names_of(["porch", "porch.example", "2001:db8::5", "192.168.1.2"]))
    assert str(issued.left_out) == "porch.example, 2001:db8::5"
    assert "porch" in issued.names.hosts
    assert "porch.example" not in issued.names.hosts


def test_a_public_name_that_the_authority_was_made_for_is_certified(tmp_path: Path) -> None:
    issue(tmp_path, "gate.example", "203.0.113.7")
    issued = issue(tmp_path, "gate.example")
    assert issued.names.hosts[0] == "gate.example"
    shake(serving(tmp_path), tmp_path, "gate.example")


def test_a_public_name_asked_for_later_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    issue(tmp_path)
    before = (tmp_path / "server.pem").read_bytes()
    with pytest.raises(ConfigurationError, match=r"may not certify gate\.example: .* public certificate"):
        issue(tmp_path, "gate.example")
    assert (tmp_path / "server.pem").read_bytes() == before


def test_a_certificate_never_outlives_its_authority(tmp_path: Path) -> None:
    issue(tmp_path)
    ends = load(tmp_path / "ca.pem").not_valid_after_utc
    issued = issue(tmp_path, now=ends - timedelta(days=30))
    assert issued.ends == ends
    with pytest.raises(ConfigurationError, match=r"ca\.pem ended on "):
        issue(tmp_path, now=ends)


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key"])
def test_half_an_authority_is_told_and_never_made_anew(tmp_path: Path, lost: str) -> None:
    issue(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(ConfigurationError, match=rf"{lost} is missing; put it back from a backup"):
        issue(tmp_path)
    assert not (tmp_path / lost).exists()


@pytest.mark.parametrize("spoiled", ["ca.pem", "ca.key"])
def test_a_spoiled_authority_is_told_and_not_touched(tmp_path: Path, spoiled: str) -> None:
    issue(tmp_path)
    (tmp_path / spoiled).write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"ca\.pem and ca\.key can't be read"):
        issue(tmp_path)
    assert (tmp_path / spoiled).read_text() == "nothing"


def test_a_key_of_another_authority_is_told(tmp_path: Path) -> None:
    issue(tmp_path / "a")
    issue(tmp_path / "b")
    (tmp_path / "a" / "ca.key").write_bytes((tmp_path / "b" / "ca.key").read_bytes())
    with pytest.raises(ConfigurationError, match=r"ca\.key does not belong to ca\.pem"):
        issue(tmp_path / "a")


def test_an_authority_that_people_brought_certifies_what_they_ask(tmp_path: Path) -> None:
    issue(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ours")])
    own = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, NOW - timedelta(1), NOW + timedelta(1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    assert "gate.example" in issue(tmp_path, "gate.example").names.hosts


def test_a_server_key_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    issue(tmp_path)
    (tmp_path / "server.key").unlink()
    issue(tmp_path)
    shake(serving(tmp_path), tmp_path, "porch")


# --- names ---


def test_names_and_addresses_are_told_apart_and_counted_once() -> None:
    found = names_of(["Gate.LAN.", "gate.lan", "*.lan", "tür.lan", "[::1]", "fe80::1%eth0", "10.0.0.1", "10.0.0.1"])
    assert found.hosts == ("gate.lan", "*.lan", "xn--tr-xka.lan")
    assert list(map(str, found.addresses)) == ["::1", "fe80::1", "10.0.0.1"]


@pytest.mark.parametrize("text", ["", "a b", "a..b", "http://gate", "-a", "x" * 64, "gate:8443", "a\nb", "*"])
def test_what_is_neither_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no host name and no IP address"):
        names_of([text])


# --- served ---


def test_a_place_by_itself_has_the_sites_own_certificate(tmp_path: Path) -> None:
    issued = issue(tmp_path / "tls")
    certificate = Certificate(place("ssl:8443"), tmp_path / "elsewhere", tmp_path)
    assert certificate.ends == issued.ends
    assert certificate.host == "porch"


def test_without_one_the_command_that_makes_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Certificate(place("ssl:8443"), tmp_path, tmp_path)
    assert str(caught.value) == "listen: ssl:8443: there is no certificate yet; make one with: gatekeeper tls init"


def test_files_are_found_beside_the_configuration_with_their_chain(tmp_path: Path) -> None:
    issue(tmp_path)
    both = (tmp_path / "server.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes()
    (tmp_path / "full.pem").write_bytes(both)
    text = "ssl:443:privateKey=server.key:certKey=full.pem:extraCertChain=ca.pem"
    certificate = Certificate(place(text), tmp_path, tmp_path / "data")
    assert len(certificate._chain) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ssl:443:privateKey=none.pem", r"can't read .*none\.pem: No such file or directory"),
        ("ssl:443:privateKey=server.key", r"server\.key holds no certificate in PEM form"),
        ("ssl:443:privateKey=server.pem:certKey=server.pem", r"server\.pem holds no private key in PEM form"),
        ("ssl:443:privateKey=ca.key:certKey=server.pem", r"ca\.key is not the key of .*server\.pem"),
        (
            "ssl:443:privateKey=locked.key:certKey=server.pem",
            r"locked\.key holds no private key .* without a passphrase",
        ),
        ("ssl:443:privateKey=server.key:certKey=bad.pem", r"bad\.pem holds no certificate"),
    ],
)
def test_files_that_cannot_be_served_are_named(tmp_path: Path, text: str, why: str) -> None:
    issue(tmp_path)
    key: Any = serialization.load_pem_private_key((tmp_path / "server.key").read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"correct-horse")
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigurationError, match=why) as caught:
        Certificate(place(text), tmp_path, tmp_path)
    assert str(caught.value).startswith(f"listen: {text}: ")
