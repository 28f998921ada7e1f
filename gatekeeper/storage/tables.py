"""Every table of a site's database, for SQLite and PostgreSQL alike.

What a table is called here it is called in the database. Times are Unix seconds, durations don't occur, hashes are 32
raw bytes, and texts that are signed or hashed are kept as the exact bytes. A change here needs a revision in
`migrations/versions`; a test compares the two.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# Constraints have names, so that a later revision can name what it changes, in both databases.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# In SQLite only INTEGER is the row's own number; in PostgreSQL INTEGER has 32 bits.
Number = BigInteger().with_variant(Integer, "sqlite")
# A None is the database's NULL, not JSON's.
Json = JSON(none_as_null=True)
Hash = LargeBinary(32)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`site`: uuid4 hex, made with the database; `accounts_revision`: a decimal that grows with each change of accounts."""

# --- the record ------------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("time", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text),
    Column("actor", Text),
    Column("outcome", Text, nullable=False),
    Column("cause", Text),
    Column("body", LargeBinary),
    Column("previous", Hash, nullable=False),
    Column("hash", Hash, nullable=False),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Column("size", Integer, nullable=False),
)
"""The chain. `body` is the exact JSON text that was hashed; NULL once retention has erased it."""

Index("ix_events_time", events.c.time)
Index("ix_events_kind", events.c.kind)
# Most events have some of these only: an index without the NULLs costs the writer nothing for the others.
for _column in (events.c.subject, events.c.actor, events.c.cause):
    Index(
        f"ix_events_{_column.name}",
        _column,
        sqlite_where=_column.is_not(None),
        postgresql_where=_column.is_not(None),
    )
Index("ix_events_held", events.c.sequence, sqlite_where=events.c.held, postgresql_where=events.c.held)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Number, nullable=False),
    Column("hash", Hash, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""One row with id 1: the signed end of the chain."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("first_sequence", Number, nullable=False, index=True),
    Column("last_sequence", Number, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
)
"""Ranges of events that retention took, first and last included, signed."""

# --- pictures --------------------------------------------------------------------------------------------------------

pictures = Table(
    "pictures",
    metadata,
    Column("event", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("camera", Text, nullable=False),
    Column("received", Double, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Hash, nullable=False, index=True),
    Column("erased", Boolean, nullable=False, server_default=text("false")),
)
"""Frames of an event's bundle, counted from 1. The file is named by its hash; several rows may share one."""

# What is erased stays as a row; who looks for what may go, or for who still needs a file, shouldn't wade through it.
Index(
    "ix_pictures_kept",
    pictures.c.received,
    pictures.c.event,
    pictures.c.number,
    sqlite_where=~pictures.c.erased,
    postgresql_where=~pictures.c.erased,
)

bundles = Table(
    "bundles",
    metadata,
    Column("event", Text, primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("started", Double, nullable=False, index=True),
    Column("ended", Double),
    Column("manifest", LargeBinary),
    Column("held", Boolean, nullable=False, server_default=text("false")),
)
"""The pictures around an event as one thing; `state` is open, complete or partial."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("why", Text, nullable=False),
    Column("event", Text),
    Column("who", Text),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("gone", Boolean, nullable=False, server_default=text("false")),
)
"""Pictures of a camera that are kept by themselves: ids in the order of time, `day` the server's own calendar day when
it was kept, `why` demand, interval or event. The file is `<day>/<camera>/<id>.jpg`. `gone`: the file is being removed,
and the row goes after it."""

Index(
    "ix_snapshots_camera_day",
    snapshots.c.camera,
    snapshots.c.day,
    snapshots.c.id,
    sqlite_where=~snapshots.c.gone,
    postgresql_where=~snapshots.c.gone,
)
Index("ix_snapshots_gone", snapshots.c.id, sqlite_where=snapshots.c.gone, postgresql_where=snapshots.c.gone)

# --- who may what ----------------------------------------------------------------------------------------------------


def _account() -> Column[str]:
    """Return a column that names an account, and goes with it."""
    return Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True)


accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("wampcra", Json),
    Column("scram", Json),
    Column("created", Double, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
)

grants = Table(
    "grants",
    metadata,
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("label", Text, nullable=False),
    Column("hash", Hash, nullable=False),
    Column("permissions", Json),
    Column("things", Json),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("last_used", Double),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
)

logins = Table(
    "logins",
    metadata,
    Column("id", Text, primary_key=True),
    _account(),
    Column("cookie_hash", Hash, unique=True),
    Column("refresh_hash", Hash, unique=True),
    Column("previous_refresh_hash", Hash, index=True),
    Column("created", Double, nullable=False),
    Column("last_used", Double, nullable=False),
    Column("expires", Double, nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("ended", Double),
)

links = Table(
    "links",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("account", Text),
    Column("role", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("used", Double),
)
"""One-time links by the hash of their code. Without an account the first who follows it makes one with the role."""

token_keys = Table(
    "token_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("created", Double, nullable=False),
    Column("retired", Double),
)
"""Keys that sign tokens, encrypted with the data folder's key file."""

# --- measurements ----------------------------------------------------------------------------------------------------

measurement_sessions = Table(
    "measurement_sessions",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("frequency", Double, nullable=False),
    Column("category", Text, nullable=False),
    Column("started", Double, nullable=False, index=True),
    Column("stopped", Double),
    Column("duration", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("gaps", Json),
)
"""All teams' sessions. `gaps`: pairs of seconds between which the server was away."""

# Two at once don't occur, whatever goes wrong.
Index(
    "ix_measurement_sessions_running",
    measurement_sessions.c.outcome,
    unique=True,
    sqlite_where=measurement_sessions.c.outcome == "running",
    postgresql_where=measurement_sessions.c.outcome == "running",
)

measurement_runs = Table(
    "measurement_runs",
    metadata,
    Column("session", Number, ForeignKey("measurement_sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("team", Integer, primary_key=True, autoincrement=False),
    Column("collapsed", Double),
    Column("statistics", LargeBinary),
)
"""One team in one session: the second at which its tower fell; the final figures, as JSON."""

measurement_senders = Table(
    "measurement_senders",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("team", Integer, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("team", "name"),
)
"""Who numbers samples; the numbers of one count for themselves."""

samples = Table(
    "samples",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("session", Number),
    Column("team", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("elapsed", Double),
    Column("a", Double, nullable=False),
    Column("b", Double, nullable=False),
    Column("a_detected", Boolean, nullable=False),
    Column("b_detected", Boolean, nullable=False),
    Column("sender", Number),
    Column("seq", Number),
)
"""`time` is when it was measured by the server's clock, `elapsed` that second of the session; millimetres."""

# In the order in which a session is read; who wants one team of eight skips the others.
Index("ix_samples_session", samples.c.session, samples.c.id)
Index(
    "ix_samples_seq",
    samples.c.sender,
    samples.c.seq,
    unique=True,
    sqlite_where=samples.c.sender.is_not(None),
    postgresql_where=samples.c.sender.is_not(None),
)
