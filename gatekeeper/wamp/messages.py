"""The messages of WAMP as a client may send them, and the tables by which each is checked.

A message is a list whose first element is its type:

    HELLO         [1, realm, details]                     CALL         [48, request, options, procedure, args?, kwargs?]
    ABORT         [3, details, reason]                    CANCEL       [49, request, options]
    AUTHENTICATE  [5, signature, extra]                   REGISTER     [64, request, options, procedure]
    GOODBYE       [6, details, reason]                    UNREGISTER   [66, request, registration]
    PUBLISH       [16, request, options, topic, args?, kwargs?]
    SUBSCRIBE     [32, request, options, topic]           UNSUBSCRIBE  [34, request, subscription]
    YIELD         [70, invocation, options, args?, kwargs?]
    ERROR         [8, 68, invocation, details, error, args?, kwargs?]

`args` is a list, `kwargs` a map with text keys. Anything that breaks a table is a ProtocolViolation. Options that no
table names are left alone: the specification wants unknown ones ignored. Nothing here trusts `forward_for`,
`caller…` or `publisher…`: who a session is comes from its authentication, never from its messages.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.ids import MAX_ID, is_id

Message = list[Any]
Check = Callable[[Any], bool]


class Type(IntEnum):
    """The message codes of the specification."""

    HELLO = 1
    WELCOME = 2
    ABORT = 3
    CHALLENGE = 4
    AUTHENTICATE = 5
    GOODBYE = 6
    ERROR = 8
    PUBLISH = 16
    PUBLISHED = 17
    SUBSCRIBE = 32
    SUBSCRIBED = 33
    UNSUBSCRIBE = 34
    UNSUBSCRIBED = 35
    EVENT = 36
    CALL = 48
    CANCEL = 49
    RESULT = 50
    REGISTER = 64
    REGISTERED = 65
    UNREGISTER = 66
    UNREGISTERED = 67
    INVOCATION = 68
    INTERRUPT = 69
    YIELD = 70


# The codes that this side writes, as plain integers: CBOR and MsgPack needn't know what an IntEnum is.
WELCOME, ABORT, CHALLENGE, GOODBYE, ERROR = 2, 3, 4, 6, 8
PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, EVENT = 16, 17, 32, 33, 34, 35, 36
CALL, CANCEL, RESULT, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED = 48, 49, 50, 64, 65, 66, 67
INVOCATION, INTERRUPT, YIELD = 68, 69, 70


def is_text(value: Any) -> bool:
    """Tell whether the element is a string."""
    return type(value) is str


def is_list(value: Any) -> bool:
    """Tell whether the element is a list."""
    return type(value) is list


def is_map(value: Any) -> bool:
    """Tell whether the element is a map with text keys only."""
    return type(value) is dict and (not value or all(type(key) is str for key in value))


def is_flag(value: Any) -> bool:
    """Tell whether the element is true or false."""
    return type(value) is bool


def is_texts(value: Any) -> bool:
    """Tell whether the element is a list of strings."""
    return type(value) is list and all(type(item) is str for item in value)


def is_integers(value: Any) -> bool:
    """Tell whether the element is a list of integers."""
    return type(value) is list and all(type(item) is int for item in value)


def is_duration(value: Any) -> bool:
    """Tell whether the element is a number of milliseconds."""
    return type(value) is int and 0 <= value <= MAX_ID


def _is_invocation(value: Any) -> bool:
    return type(value) is int and value == INVOCATION


_PAYLOAD = (is_list, is_map)
_PASSED_THROUGH: dict[str, Check] = {
    "ppt_scheme": is_text,
    "ppt_serializer": is_text,
    "ppt_cipher": is_text,
    "ppt_keyid": is_text,
}

# Type → the checks of the elements after the code that must be there, and of those that may follow.
SHAPES: dict[int, tuple[tuple[Check, ...], tuple[Check, ...]]] = {
    Type.HELLO: ((is_text, is_map), ()),
    Type.ABORT: ((is_map, is_text), ()),
    Type.AUTHENTICATE: ((is_text, is_map), ()),
    Type.GOODBYE: ((is_map, is_text), ()),
    Type.ERROR: ((_is_invocation, is_id, is_map, is_text), _PAYLOAD),
    Type.PUBLISH: ((is_id, is_map, is_text), _PAYLOAD),
    Type.SUBSCRIBE: ((is_id, is_map, is_text), ()),
    Type.UNSUBSCRIBE: ((is_id, is_id), ()),
    Type.CALL: ((is_id, is_map, is_text), _PAYLOAD),
    Type.CANCEL: ((is_id, is_map), ()),
    Type.REGISTER: ((is_id, is_map, is_text), ()),
    Type.UNREGISTER: ((is_id, is_id), ()),
    Type.YIELD: ((is_id, is_map), _PAYLOAD),
}

# Type → where its options stand, and the types of those that the router reads.
OPTIONS: dict[int, tuple[int, dict[str, Check]]] = {
    Type.HELLO: (
        2,
        {"roles": is_map, "authmethods": is_texts, "authid": is_text, "authextra": is_map},
    ),
    Type.PUBLISH: (
        2,
        {
            "acknowledge": is_flag,
            "exclude_me": is_flag,
            "disclose_me": is_flag,
            "retain": is_flag,
            "eligible": is_integers,
            "eligible_authid": is_texts,
            "eligible_authrole": is_texts,
            "exclude": is_integers,
            "exclude_authid": is_texts,
            "exclude_authrole": is_texts,
            **_PASSED_THROUGH,
        },
    ),
    Type.SUBSCRIBE: (2, {"match": is_text, "get_retained": is_flag}),
    Type.CALL: (
        2,
        {
            "disclose_me": is_flag,
            "receive_progress": is_flag,
            "progress": is_flag,
            "timeout": is_duration,
            **_PASSED_THROUGH,
        },
    ),
    Type.REGISTER: (
        2,
        {
            "match": is_text,
            "invoke": is_text,
            "disclose_caller": is_flag,
            "forward_timeout": is_flag,
            "force_reregister": is_flag,
        },
    ),
    Type.CANCEL: (2, {"mode": is_text}),
    Type.YIELD: (2, {"progress": is_flag, **_PASSED_THROUGH}),
    Type.ERROR: (3, _PASSED_THROUGH),
}

_NAMES = {int(member): member.name for member in Type}
# Clients write null for "none" here.
_OPTIONAL_NULLS = frozenset(
    ("authid", "authextra", "authmethods", "timeout", "invoke", "match", "mode", *_PASSED_THROUGH)
) | frozenset(f"{list_}{by}" for list_ in ("eligible", "exclude") for by in ("", "_authid", "_authrole"))


def check(message: Any) -> Message:
    """Return the value as a well-formed client message, or raise ProtocolViolation saying what is wrong with it."""
    if type(message) is not list or not message:
        raise ProtocolViolation("a message is a list that begins with its type")
    code = message[0]
    shape = SHAPES.get(code) if type(code) is int else None
    if shape is None:
        raise ProtocolViolation(_not_from_a_client(code))
    required, optional = shape
    elements = len(message) - 1
    if not len(required) <= elements <= len(required) + len(optional):
        raise ProtocolViolation(f"{_NAMES[code]} with {elements + 1} elements")
    for position, is_right in enumerate(required, 1):
        if not is_right(message[position]):
            raise ProtocolViolation(f"{_NAMES[code]}: element {position} has the wrong type")
    for position in range(len(required) + 1, elements + 1):
        if not optional[position - len(required) - 1](message[position]):
            raise ProtocolViolation(f"{_NAMES[code]}: element {position} has the wrong type")
    _check_options(code, message)
    return message


def _check_options(code: int, message: Message) -> None:
    where, checks = OPTIONS.get(code, (0, {}))
    if not where or not message[where]:
        return
    options = message[where]
    for name, is_right in checks.items():
        if name in options and not is_right(options[name]):
            if options[name] is None and name in _OPTIONAL_NULLS:
                continue
            raise ProtocolViolation(f"{_NAMES[code]}: {name} has the wrong type")


def _not_from_a_client(code: Any) -> str:
    if type(code) is int and code in _NAMES:
        return f"{_NAMES[code]} is not a client's to send"
    return "unknown message type"


def payload(args: tuple[Any, ...] | list[Any], kwargs: dict[str, Any]) -> Message:
    """Return the tail of a message that carries this payload, as short as the specification allows."""
    if kwargs:
        return [list(args), kwargs]
    return [list(args)] if args else []
