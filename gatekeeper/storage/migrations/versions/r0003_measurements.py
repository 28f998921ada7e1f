"""Measurement sessions, their runs and samples."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "measurement_sessions",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("frequency", sa.Double(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("started", sa.Double(), nullable=False),
        sa.Column("stopped", sa.Double(), nullable=True),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("gaps", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement_sessions")),
    )
    op.create_index(op.f("ix_measurement_sessions_started"), "measurement_sessions", ["started"], unique=False)
    op.create_index(
        "ix_measurement_sessions_running",
        "measurement_sessions",
        ["outcome"],
        unique=True,
        sqlite_where=sa.text("outcome = 'running'"),
        postgresql_where=sa.text("outcome = 'running'"),
    )
    op.create_table(
        "measurement_runs",
        sa.Column("session", number, nullable=False),
        sa.Column("team", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("collapsed", sa.Double(), nullable=True),
        sa.Column("statistics", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session"],
            ["measurement_sessions.id"],
            name=op.f("fk_measurement_runs_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session", "team", name=op.f("pk_measurement_runs")),
    )
    op.create_table(
        "measurement_senders",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("team", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement_senders")),
        sa.UniqueConstraint("team", "name", name=op.f("uq_measurement_senders_team_name")),
    )
    op.create_table(
        "samples",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("session", number, nullable=True),
        sa.Column("team", sa.Integer(), nullable=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("elapsed", sa.Double(), nullable=True),
        sa.Column("a", sa.Double(), nullable=False),
        sa.Column("b", sa.Double(), nullable=False),
        sa.Column("a_detected", sa.Boolean(), nullable=False),
        sa.Column("b_detected", sa.Boolean(), nullable=False),
        sa.Column("sender", number, nullable=True),
        sa.Column("seq", number, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
    )
    op.create_index("ix_samples_session", "samples", ["session", "id"], unique=False)
    op.create_index(
        "ix_samples_seq",
        "samples",
        ["sender", "seq"],
        unique=True,
        sqlite_where=sa.text("sender IS NOT NULL"),
        postgresql_where=sa.text("sender IS NOT NULL"),
    )
