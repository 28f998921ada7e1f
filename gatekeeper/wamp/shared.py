"""A payload that goes to many as it is: encoded once per codec, whatever head each receiver's message has.

    [50, request, {"progress": true}] + [args, kwargs]     the head is each receiver's own, the tail is everybody's

In all three formats an array is a mark that tells its length, then its elements one after the other. So a message is
the mark, the head's elements and the tail's, put together once, when its frame is made.

Who sends it says by that also that it keeps time with the receiver, as by credit: see `Outbox.send_paced`. Sans-I/O.
"""

from typing import Any

from gatekeeper.wamp.codecs import Codec


class Shared:
    """Arguments for many; they must not be changed any more.

    :ivar args: as of a RESULT; also `kwargs`.
    """

    __slots__ = ("_encoded", "args", "kwargs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = list(args)
        self.kwargs = kwargs
        self._encoded: dict[Codec, bytes | memoryview] = {}

    def pieces(self, codec: Codec, head: list[Any]) -> list[bytes | memoryview]:
        """Return the pieces that are, one after the other, the message that begins with this head.

        :raises CodecError: if the codec can't express it.
        """
        tail = self._encoded.get(codec)
        if tail is None:
            tail = self._encoded[codec] = codec.elements([self.args, self.kwargs])
        return codec.array(len(head) + 2, codec.elements(head), tail)
