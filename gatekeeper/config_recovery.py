"""What a camera may be helped with by itself, as the configuration says it."""

from typing import Annotated, Literal

from msgspec import Meta

SelfHelp = Annotated[
    Literal["reboot", "reconnect", "none"],
    Meta(
        description="the most that is done about it when it shows nothing: `reboot` where it can be told to (at most "
        "every half hour, and six times a day), `reconnect`, or `none`; a person is called in any case"
    ),
]
