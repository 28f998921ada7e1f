"""The site's own certificates: a local authority (CA) that signs one for this machine's names and addresses.

People trust the authority once, on each device that they look from; certificates are renewed without asking them again.
What they trust must not be able to stand for their bank: the authority is constrained to this machine's names, names of
private networks and private addresses, so that its stolen key is worth nothing elsewhere. A site with a public name has
a public certificate: `listen = "ssl:443:privateKey=…:certKey=…"`.

Files, in `tls/` of the data folder: `ca.pem`, `ca.key`, `server.pem`, `server.key`; the keys are their owner's only.
The server's key stays when the certificate is renewed, so that one rename renews it; remove it to have another.
"""

import ipaddress
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gatekeeper.errors import ConfigurationError

FOLDER: Final = "tls"

AUTHORITY_LIFE: Final = timedelta(days=3653)
"""Ten years: whoever trusted it should not have to again; it can do nothing but this site."""

CERTIFICATE_LIFE: Final = timedelta(days=397)
"""The most that every browser takes; some refuse longer ones whoever signed them."""

SLACK: Final = timedelta(hours=1)
"""It begins this much earlier: clocks of phones and boards differ."""

MAXIMUM_NAMES: Final = 100
"""Names and addresses in one certificate: a machine with containers has dozens, and the handshake carries all."""

PRIVATE_NAMES: Final = ("localhost", "local", "lan", "home.arpa", "internal", "intranet", "private", "test")
"""Endings that no public authority certifies, so that nobody is harmed by one who has stolen the key."""

PRIVATE_NETWORKS: Final = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate is for: host names, lower case, and IP addresses."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        return ", ".join((*self.hosts, *map(str, self.addresses)))


@dataclass(frozen=True, slots=True)
class Issued:
    """What `issue` did.

    :ivar authority: file of the authority's certificate, which devices are to trust.
    :ivar fingerprint: its SHA-256, as browsers show it.
    :ivar is_new: whether the authority was made now.
    :ivar names: what the server's certificate is for.
    :ivar left_out: what the machine is called too, and the authority can't certify.
    :ivar ends: when the server's certificate does.
    """

    authority: Path
    fingerprint: str
    is_new: bool
    names: Names
    left_out: Names
    ends: datetime


def names_of(texts: Collection[str]) -> Names:
    """Sort texts into host names and addresses, each once, in order.

    :raises ConfigurationError: if one is neither.
    """
    hosts: dict[str, None] = {}
    addresses: dict[Address, None] = {}
    for text in texts:
        try:
            addresses[ipaddress.ip_address(text.strip("[]").partition("%")[0])] = None
            continue
        except ValueError:
            name = text.rstrip(".").lower()
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            name = ""
        if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.removeprefix("*.").split(".")):
            raise ConfigurationError(f'"{text[:60]}" is no host name and no IP address')
        hosts[name] = None
    return Names(tuple(hosts), tuple(addresses))


# --- issuing ---------------------------------------------------------------------------------------------------------


def issue(folder: Path, machine: Names, asked: Names, now: datetime) -> Issued:
    """Make a server certificate, first the authority if there is none; renewing keeps host names that it had.

    :param folder: where the files go; it is made if missing, for its owner only.
    :param machine: what the machine is called; what the authority can't certify of it is left out.
    :param asked: what must be in it.
    :raises ConfigurationError: if the authority's files are damaged, or it can't certify what was asked for.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not (folder / "ca.pem").exists() and not (folder / "ca.key").exists()
    if is_new:
        _make_authority(folder, _together(asked, machine), now)
    authority, key = _authority(folder, now)
    permitted = _permitted(authority)
    kept = _hosts_of(folder / "server.pem")
    refused = _without(asked, permitted, inside=False)
    if refused.hosts or refused.addresses:
        raise ConfigurationError(
            f"the authority in {folder / 'ca.pem'} may not certify {refused}: it is for private names and for what it "
            "was made for; a public name gets a public certificate. To make another authority, which all devices have "
            "to trust anew, move ca.pem and ca.key away"
        )
    wanted = _together(asked, machine, kept)
    names, left_out = _without(wanted, permitted, inside=True), _without(wanted, permitted, inside=False)
    names = Names(names.hosts[:MAXIMUM_NAMES], names.addresses[:MAXIMUM_NAMES])
    ends = min(now + CERTIFICATE_LIFE - SLACK, authority.not_valid_after_utc)
    server = _server_key(folder / "server.key")
    certificate = _certify(authority, key, server, names, (now - SLACK, ends))
    _write(folder / "server.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    fingerprint = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    return Issued(folder / "ca.pem", fingerprint, is_new, names, left_out, ends)


def _make_authority(folder: Path, names: Names, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    host = names.hosts[0] if names.hosts else "this machine"
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "gatekeeper"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"gatekeeper on {host}"[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number(), now - SLACK, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_constraints(names), critical=True)
        .sign(key, hashes.SHA256())
    )
    _create(folder / "ca.key", _pem(key))
    _write(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _constraints(names: Names) -> x509.NameConstraints:
    hosts = dict.fromkeys([*PRIVATE_NAMES, *(name.removeprefix("*.") for name in names.hosts)])
    networks = dict.fromkeys(
        [*map(ipaddress.ip_network, PRIVATE_NETWORKS), *(ipaddress.ip_network(address) for address in names.addresses)]
    )
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in hosts]
    permitted += [x509.IPAddress(network) for network in networks]
    return x509.NameConstraints(permitted, None)


def _certify(
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    server: ec.EllipticCurvePrivateKey,
    names: Names,
    life: tuple[datetime, datetime],
) -> x509.Certificate:
    public = server.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.hosts[0][:64])])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names.hosts]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder(authority.subject, subject, public, x509.random_serial_number(), *life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


# --- what an authority may ---


def _permitted(authority: x509.Certificate) -> Sequence[x509.GeneralName] | None:
    """Return the subtrees that an authority is constrained to, or None if it isn't."""
    try:
        return authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:  # one that people brought themselves
        return None


def _without(names: Names, permitted: Sequence[x509.GeneralName] | None, *, inside: bool) -> Names:
    """Return those of the names that are inside, or outside, of what is permitted."""
    if permitted is None:
        return names if inside else Names()
    trees = [name.value for name in permitted if isinstance(name, x509.DNSName)]
    networks = [name.value for name in permitted if isinstance(name, x509.IPAddress)]

    def host_is_inside(host: str) -> bool:
        return any(f".{host.removeprefix('*.')}".endswith(f".{tree}") for tree in trees)

    def address_is_inside(address: Address) -> bool:
        return any(address in network for network in networks if not isinstance(network, Address))

    return Names(
        tuple(host for host in names.hosts if host_is_inside(host) is inside),
        tuple(address for address in names.addresses if address_is_inside(address) is inside),
    )


def _together(*several: Names) -> Names:
    hosts = dict.fromkeys(host for names in several for host in names.hosts)
    addresses = dict.fromkeys(address for names in several for address in names.addresses)
    return Names(tuple(hosts), tuple(addresses))


# --- files ---


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the authority that is there: it is never made anew by itself, since devices trust it."""
    away = "; put it back from a backup, or move both files away and make another, which all devices have to trust"
    for name in ("ca.pem", "ca.key"):
        if not (folder / name).exists():
            raise ConfigurationError(f"{folder / name} is missing{away}")
    try:
        certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{folder}: ca.pem and ca.key can't be read{away}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigurationError(f"{folder}: ca.key does not belong to ca.pem{away}")
    if certificate.not_valid_after_utc <= now:
        raise ConfigurationError(f"{folder / 'ca.pem'} ended on {certificate.not_valid_after_utc:%Y-%m-%d}{away}")
    return certificate, key


def _server_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    except (FileNotFoundError, ValueError, TypeError):
        pass  # none yet, or nothing that works
    key = ec.generate_private_key(ec.SECP256R1())
    _write(file, _pem(key), 0o600)
    return key


def _hosts_of(file: Path) -> Names:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return Names()
    return Names(tuple(names.get_values_for_type(x509.DNSName)))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _create(file: Path, content: bytes) -> None:
    """Write a file that must not be there yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)  # left by a crash: its mode would stay
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    new.replace(file)
