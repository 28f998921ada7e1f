"""`gatekeeper tls init`: a certificate for this machine, from an authority of its own."""

import argparse
import socket
from datetime import UTC, datetime

import psutil

from gatekeeper.access import tls
from gatekeeper.commands.site import opened
from gatekeeper.errors import ConfigurationError

ABOUT = """\
Make a certificate for this machine's names and addresses, and an authority (CA) that signs it, in tls/ of the data
folder. Then serve with listen = "ssl:8443" in the configuration, and let each device that people look from trust
ca.pem, once. Run it again to renew the certificate, or when the machine has a new name or address: the authority stays.
"""

TRUST = """\
To trust it, copy {file} (never ca.key) to each device and:
  Debian, Ubuntu  sudo cp ca.pem /usr/local/share/ca-certificates/gatekeeper.crt && sudo update-ca-certificates
  macOS           sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem
  Windows         certutil -addstore -f Root ca.pem          (as administrator)
  Firefox         Settings, Privacy & Security, View Certificates, Authorities, Import
  Chrome (Linux)  Settings, Privacy and security, Security, Manage certificates, Custom, Import
  Android         Settings, Security, Encryption & credentials, Install a certificate, CA certificate
  iPhone, iPad    open it, install the profile, then Settings, General, About, Certificate Trust Settings
  curl, scripts   curl --cacert ca.pem …, SSL_CERT_FILE=ca.pem, NODE_EXTRA_CA_CERTS=ca.pem
The device shows this fingerprint (SHA-256), which must be the same:
  {fingerprint}
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `tls init`."""
    group = commands.add_parser("tls", help="certificates for https", description="Certificates for https.")
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    init = below.add_parser("init", help="make or renew this machine's certificate", description=ABOUT)
    init.add_argument(
        "-n",
        "--name",
        action="append",
        default=[],
        dest="names",
        metavar="HOST",
        help="a further host name or IP address that people type; may be given several times",
    )
    init.set_defaults(run=init_)


def init_(arguments: argparse.Namespace) -> None:
    """Make or renew, and say what to do with it."""
    site = opened(arguments)
    asked = tls.names_of(arguments.names)
    site.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    issued = tls.issue(site.data / tls.FOLDER, machine(), asked, datetime.now(UTC))
    say = print
    say(f"the authority {'was made' if issued.is_new else 'stays as it was'}: {issued.authority}")
    say(f"the server's certificate is good until {issued.ends:%Y-%m-%d}, for {issued.names}")
    if issued.left_out.hosts or issued.left_out.addresses:
        say(f"left out, because this authority may not certify it: {issued.left_out}")
    say('serve with it: listen = "ssl:8443" in the configuration; a running site takes it after SIGHUP or a restart\n')
    say(TRUST.format(file=issued.authority, fingerprint=issued.fingerprint), end="")


def machine() -> tls.Names:
    """Return what this machine is called: by itself, by mDNS, and the addresses of its interfaces."""
    host = socket.gethostname().rstrip(".").lower()
    short = host.partition(".")[0]
    found = [host, socket.getfqdn(), *([f"{short}.local"] if short != "localhost" else []), "localhost"]
    hosts = [name for name in dict.fromkeys(found) if _is_name(name)]
    addresses = [
        address.address
        for several in psutil.net_if_addrs().values()
        for address in several
        if address.family in (socket.AF_INET, socket.AF_INET6)
    ]
    return tls.names_of([*hosts, "127.0.0.1", "::1", *addresses])


def _is_name(name: str) -> bool:
    """Return whether a certificate can hold a name: machines are called the oddest things."""
    try:
        return bool(tls.names_of([name]).hosts)
    except ConfigurationError:
        return False
