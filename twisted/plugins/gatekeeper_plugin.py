"""What `twistd` lists: a name and a line. Nothing of gatekeeper is imported until it is chosen."""

from twisted.application.service import ServiceMaker

gatekeeper = ServiceMaker("gatekeeper", "gatekeeper.tap", "Watch cameras and work doors.", "gatekeeper")
