"""The certificate and the key of one place that is listened on with TLS: read, looked at, handed to Twisted."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.ssl import CertificateOptions

from gatekeeper import config
from gatekeeper.access.tls import FOLDER
from gatekeeper.addresses import Place
from gatekeeper.errors import ConfigurationError

_END = b"-----END CERTIFICATE-----"


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
        context = SSL.Context(SSL.TLS_METHOD)
        context.use_certificate(self._certificate)
        context.use_privatekey(self._key)
        try:
            context.check_privatekey()
        except SSL.Error as error:
            raise self._unusable(f"{key} is not the key of {certificate}") from error
        plain = self._certificate.to_cryptography()
        self.ends: datetime = plain.not_valid_after_utc
        self.host = _first_host(plain)

    def options(self) -> CertificateOptions:
        """Return what Twisted listens with: TLS 1.2 and 1.3."""
        return CertificateOptions(self._key, self._certificate, extraCertChain=self._chain)

    def _certificates(self, file: Path) -> list[crypto.X509]:
        pieces = [piece + _END for piece in self._read(file).split(_END)[:-1]]
        try:
            found = [crypto.load_certificate(crypto.FILETYPE_PEM, piece) for piece in pieces]
        except crypto.Error:
            found = []
        if not found:
            raise self._unusable(f"{file} holds no certificate in PEM form")
        return found

    def _private(self, file: Path) -> crypto.PKey:
        try:
            return crypto.load_privatekey(crypto.FILETYPE_PEM, self._read(file), passphrase=_no_passphrase)
        except (crypto.Error, ValueError, TypeError) as error:
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


def _no_passphrase(*_: object) -> bytes:
    return b""  # or OpenSSL asks the terminal
