"""The command line, `gatekeeper`: what people do to a site from its own machine, beside the running one or without it.

Each module offers `register(subparsers)`, which adds its commands; `set_defaults(run=…)` names the function that does
one. That takes the arguments and returns None, or an exit code; a `GatekeeperError` becomes one line and exit code 1.
`commands.site.opened(arguments)` gives the configuration and its folders. Nothing here needs a reactor.
"""
