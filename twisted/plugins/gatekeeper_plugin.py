"""What `twistd` lists: a name and a line. Nothing of gatekeeper is imported until it is chosen."""

from twisted.application.service import ServiceMaker

gatekeeper = ServiceMaker(  # type: ignore[no-untyped-call]  # Twisted has no types here
    "gatekeeper", "gatekeeper.tap", "Watch cameras and work doors.", "gatekeeper"
)
