"""The certificate and the key of one place that is listened on with TLS: read, looked at, handed to Twisted."""

from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from twisted.internet.ssl import CertificateOptions

from gatekeeper import config
from gatekeeper.access.tls import FOLDER
from gatekeeper.addresses import Place
from gatekeeper.errors import ConfigurationError


class Certificate:
    """The certificate of one place, with its chain and its key.

    One that has ended is no error: a site must come up after a power cut, and browsers say what is wrong.

    :param place: where TLS is spoken; without files of its own it has what `gatekeeper tls init` made.
    :param folder: what relative paths are relative to.
    :param data: the data folder.
    :ivar ends: when it does.
    :ivar host: the first host name that it is for, or None.
    :raises ConfigurationError: if something is missing or can't be used.
    """

    def __init__(self, place: Place, folder: Path, data: Path) -> None:
        self._text = place.text
        if place.key is None or place.certificate is None:
            own = data / FOLDER
            if not (own / "server.pem").exists():
                raise self._unusable("there is no certificate yet; make one with: gatekeeper tls init")
            key, certificate = own / "server.key", own / "server.pem"
        else:
            key = config.resolve(folder, place.key, "listen")
            certificate = config.resolve(folder, place.certificate, "listen")
        self._certificate, *self._chain = self._certificates(certificate)
        if place.chain is not None:
            self._chain += self._certificates(config.resolve(folder, place.chain, "listen"))
        self._key = self._private(key)
        if self._key.public_key() != self._certificate.public_key():
            raise self._unusable(f"{key} is not the key of {certificate}")
        self.ends: datetime = self._certificate.not_valid_after_utc
        self.host = _first_host(self._certificate)

    def options(self) -> CertificateOptions:
        """Return what Twisted listens with: TLS 1.2 and 1.3."""
        certificate: Any = self._certificate  # Twisted's types say pyOpenSSL's, which pyOpenSSL itself gives up
        chain: Any = self._chain
        return CertificateOptions(self._key, certificate, extraCertChain=chain)

    def _certificates(self, file: Path) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(self._read(file))
        except ValueError as error:
            raise self._unusable(f"{file} holds no certificate in PEM form") from error

    def _private(self, file: Path) -> Any:
        try:
            return serialization.load_pem_private_key(self._read(file), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise self._unusable(f"{file} holds no private key in PEM form without a passphrase") from error

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise self._unusable(f"can't read {file}: {error.strerror}") from error

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"listen: {self._text}: {why}")


def _first_host(certificate: x509.Certificate) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return next((name for name in names.get_values_for_type(x509.DNSName) if not name.startswith("*")), None)
