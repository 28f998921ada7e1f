"""Authentication methods, ready-made, each over a store of principals; none is on unless the program hands it in.

    router = Router("example", Chooser([Cryptosign(principals), Scram(principals), Ticket(principals)]))

Every method answers a name that it doesn't know as it answers one that it knows, up to the refusal at the end. Every
challenge belongs to one session, is answered once, and runs out with the handshake. Comparisons take constant time.
"""

from gatekeeper.wamp.methods.anonymous import Anonymous
from gatekeeper.wamp.methods.autobahn_scram import AutobahnScram, autobahn_scram_credential
from gatekeeper.wamp.methods.chooser import Chooser
from gatekeeper.wamp.methods.cookie import Cookie, CookieJar
from gatekeeper.wamp.methods.cryptosign import Cryptosign
from gatekeeper.wamp.methods.principals import Listed, Principal, Principals
from gatekeeper.wamp.methods.scram import Scram, ScramCredential, scram_credential
from gatekeeper.wamp.methods.ticket import Ticket, ticket_credential
from gatekeeper.wamp.methods.wampcra import CraCredential, WampCra, cra_credential

__all__ = [
    "Anonymous",
    "AutobahnScram",
    "Chooser",
    "Cookie",
    "CookieJar",
    "CraCredential",
    "Cryptosign",
    "Listed",
    "Principal",
    "Principals",
    "Scram",
    "ScramCredential",
    "Ticket",
    "WampCra",
    "autobahn_scram_credential",
    "cra_credential",
    "scram_credential",
    "ticket_credential",
]
