"""Autobahn's own client logs in and says who it is: `stock_login.py URL METHOD NAME`, the secret on standard input."""

import sys
import unicodedata

from argon2 import low_level
from autobahn.asyncio.component import Component, run
from autobahn.wamp import auth

# What Autobahn looks for when it is imported: passlib, for one function, is no more maintained.
auth.HAS_ARGON = True
auth.Type, auth.hash_secret = low_level.Type, low_level.hash_secret
auth.saslprep = lambda text: unicodedata.normalize("NFKC", text)

url, method, name = sys.argv[1:]
secret = sys.stdin.readline().rstrip("\n")
ways = {
    "ticket": {"authid": name, "ticket": secret},
    "wampcra": {"authid": name, "secret": secret},
    "scram": {"authid": name, "password": secret},
}
component = Component(transports=url, realm="gatekeeper", authentication={method: ways[method]})


@component.on_join
async def joined(session, details):  # type: ignore[no-untyped-def]
    doors = await session.call("gatekeeper.door.list")
    print("joined", details.authid, details.authrole, details.authmethod, len(doors), flush=True)
    session.leave()


run([component], log_level=None)
