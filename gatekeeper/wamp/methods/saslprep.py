"""SASLprep (RFC 4013): names and passwords in the one form in which they are compared."""

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """Return the normalized string; raise ValueError for characters and directions that it may not hold."""
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if any(is_in(char) for char in normal for is_in in _PROHIBITED):
        raise ValueError("a character that SASLprep prohibits")
    _check_directions(normal)
    return normal


def _check_directions(text: str) -> None:
    """Right-to-left text must begin and end so, and hold no left-to-right (RFC 3454, section 6)."""
    if not any(stringprep.in_table_d1(char) for char in text):
        return
    is_bounded = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not is_bounded or any(stringprep.in_table_d2(char) for char in text):
        raise ValueError("a mixture of writing directions that SASLprep prohibits")
