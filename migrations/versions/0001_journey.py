"""The journey's tables: people, targets, plans, reviews, runs, backups, figures, jobs, and the audit log.

Reason: the first schema, so there is no worker of a version before it. What must never be rewritten is guarded by triggers and
not by good intentions: the audit log and the run's history are append only, a revision's content never changes.
Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


REFUSE = """
CREATE FUNCTION headgate_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$
"""
#: table -> what is refused on it
GUARDED = {
    "audit_log": "UPDATE OR DELETE OR TRUNCATE",
    "run_events": "UPDATE OR DELETE OR TRUNCATE",
    "plan_revisions": "UPDATE",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_people_email_is_lower_case")),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("email", name="uq_people_email"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
        sa.UniqueConstraint("slug", name="uq_projects_slug"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", JSONB(none_as_null=True), server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_api_tokens_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_sha256", name="uq_api_tokens_token_sha256"),
    )
    op.create_index("ix_api_tokens_person_id", "api_tokens", ["person_id"], unique=False)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("details", JSONB(none_as_null=True), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_audit_log_person_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_audit_log_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sa.UniqueConstraint("hash", name="uq_audit_log_hash"),
        sa.UniqueConstraint("previous_hash", name="uq_audit_log_previous_hash"),
    )
    op.create_index("ix_audit_log_project_id_id", "audit_log", ["project_id", "id"], unique=False)
    op.create_index("ix_audit_log_subject_kind_subject_id_id", "audit_log", ["subject_kind", "subject_id", "id"], unique=False)
    op.create_table(
        "environments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("is_production", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("policy", JSONB(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_environments_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_environments"),
        sa.UniqueConstraint("project_id", "name", name="uq_environments_project_id_name"),
        sa.UniqueConstraint("project_id", "position", name="uq_environments_project_id_position"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("progress", JSONB(none_as_null=True), nullable=True),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"kind\" IN ('test_target', 'analyse', 'rehearse', 'backup', 'restore', 'snapshot_schema', 'take_metrics')",
            name=op.f("ck_jobs_kind_is_known"),
        ),
        sa.CheckConstraint("\"state\" IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_jobs_state_is_known")),
        sa.ForeignKeyConstraint(["requested_by"], ["people.id"], name="fk_jobs_requested_by"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index(
        "uq_jobs_open", "jobs", ["kind", "subject_id"], unique=True, postgresql_where=sa.text("state IN ('queued', 'running')")
    )
    op.create_table(
        "memberships",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "\"role\" IN ('viewer', 'author', 'approver', 'operator', 'admin')", name=op.f("ck_memberships_role_is_known")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_memberships_person_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_memberships_project_id"),
        sa.PrimaryKeyConstraint("person_id", "project_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_project_id", "memberships", ["project_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_sign_ins_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("token_sha256", name="uq_sign_ins_token_sha256"),
    )
    op.create_index("ix_sign_ins_person_id", "sign_ins", ["person_id"], unique=False)
    op.create_table(
        "targets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("environment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed_dsn", sa.Text(), nullable=False),
        sa.Column("dsn_summary", sa.Text(), nullable=False),
        sa.Column("server_version", sa.Text(), nullable=True),
        sa.Column("capabilities", JSONB(none_as_null=True), nullable=True),
        sa.Column("last_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", JSONB(none_as_null=True), nullable=True),
        sa.Column("schema_fingerprint", sa.Text(), nullable=True),
        sa.Column("fidelity", JSONB(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_targets_environment_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_targets_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
        sa.UniqueConstraint("project_id", "name", name="uq_targets_project_id_name"),
    )
    op.create_index("ix_targets_environment_id", "targets", ["environment_id"], unique=False)
    op.create_table(
        "plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("current_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "\"state\" IN ('draft', 'in_review', 'approved', 'rejected', 'archived')", name=op.f("ck_plans_state_is_known")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name="fk_plans_author_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_plans_project_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_plans_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_project_id_updated_at", "plans", ["project_id", "updated_at"], unique=False)
    op.create_index("ix_plans_target_id", "plans", ["target_id"], unique=False)
    op.create_table(
        "schema_snapshots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("content", JSONB(none_as_null=True), nullable=False),
        sa.Column("statistics", JSONB(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_schema_snapshots_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schema_snapshots"),
    )
    op.create_index("ix_schema_snapshots_target_id_taken_at", "schema_snapshots", ["target_id", "taken_at"], unique=False)
    op.create_table(
        "plan_revisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", JSONB(none_as_null=True), nullable=False),
        sa.Column("source_text", sa.Text(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name="fk_plan_revisions_created_by"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_revisions_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_revisions"),
        sa.UniqueConstraint("plan_id", "number", name="uq_plan_revisions_plan_id_number"),
    )
    op.create_index("ix_plan_revisions_digest", "plan_revisions", ["digest"], unique=False)
    op.create_table(
        "analyses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("report", JSONB(none_as_null=True), nullable=True),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.Column("rules_version", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("\"state\" IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_analyses_state_is_known")),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_analyses_revision_id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["schema_snapshots.id"], name="fk_analyses_snapshot_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_analyses_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_analyses"),
    )
    op.create_index("ix_analyses_revision_id_target_id", "analyses", ["revision_id", "target_id"], unique=False)
    op.create_index(
        "uq_analyses_open",
        "analyses",
        ["revision_id", "target_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name="fk_comments_author_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["comments.id"], name="fk_comments_parent_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_comments_plan_id"),
        sa.ForeignKeyConstraint(["resolved_by"], ["people.id"], name="fk_comments_resolved_by"),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_comments_revision_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
    )
    op.create_index("ix_comments_plan_id_created_at", "comments", ["plan_id", "created_at"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("evidence_digest", sa.Text(), nullable=False),
        sa.Column("evidence", JSONB(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("\"verdict\" IN ('approve', 'request_changes')", name=op.f("ck_decisions_verdict_is_known")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_decisions_person_id"),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_decisions_revision_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_decisions_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index(
        "uq_decisions_standing",
        "decisions",
        ["revision_id", "target_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("dismissed_at IS NULL"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_overrides_person_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_overrides_plan_id"),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_overrides_revision_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_overrides_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index(
        "ix_overrides_plan_id_revision_id_target_id_gate",
        "overrides",
        ["plan_id", "revision_id", "target_id", "gate"],
        unique=True,
    )
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.Column("schema_after_fingerprint", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("\"state\" IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_rehearsals_state_is_known")),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_rehearsals_revision_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_rehearsals_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rehearsals"),
    )
    op.create_index("ix_rehearsals_revision_id_target_id", "rehearsals", ["revision_id", "target_id"], unique=False)
    op.create_index(
        "uq_rehearsals_open",
        "rehearsals",
        ["revision_id", "target_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), server_default="forward", nullable=False),
        sa.Column("forward_run_id", sa.BigInteger(), nullable=True),
        sa.Column("scope", JSONB(none_as_null=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="scheduled", nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_step", sa.Text(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("options", JSONB(none_as_null=True), server_default="{}", nullable=False),
        sa.Column("event_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("catalog_fingerprint", sa.Text(), nullable=True),
        sa.Column("evidence_digest", sa.Text(), nullable=True),
        sa.Column("request_token", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(direction = 'rollback') = (forward_run_id IS NOT NULL)", name=op.f("ck_runs_rollback_names_its_forward_run")
        ),
        sa.CheckConstraint("\"asked\" IN ('pause', 'cancel')", name=op.f("ck_runs_asked_is_known")),
        sa.CheckConstraint("\"direction\" IN ('forward', 'rollback')", name=op.f("ck_runs_direction_is_known")),
        sa.CheckConstraint(
            "\"state\" IN ('scheduled', 'waiting_window', 'running', 'waiting_gate', 'waiting_target', 'pausing', 'paused', 'failed', 'cancelling', 'cancelled', 'verifying', 'monitoring', 'completed', 'rolling_back', 'rolled_back')",
            name=op.f("ck_runs_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_runs_asked_by"),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name="fk_runs_created_by"),
        sa.ForeignKeyConstraint(["forward_run_id"], ["runs.id"], name="fk_runs_forward_run_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_runs_plan_id"),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_runs_revision_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_runs_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("key", name="uq_runs_key"),
        sa.UniqueConstraint("request_token", name="uq_runs_request_token"),
    )
    op.create_index(
        "ix_runs_driven",
        "runs",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('scheduled', 'waiting_window', 'running', 'waiting_target', 'pausing', 'cancelling', 'verifying')"
        ),
    )
    op.create_index("ix_runs_forward_run_id", "runs", ["forward_run_id"], unique=False)
    op.create_index("ix_runs_plan_id_created_at", "runs", ["plan_id", "created_at"], unique=False)
    op.create_index("ix_runs_target_id_created_at", "runs", ["target_id", "created_at"], unique=False)
    op.create_index(
        "uq_runs_active_target",
        "runs",
        ["target_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('scheduled', 'waiting_window', 'running', 'waiting_gate', 'waiting_target', 'pausing', 'paused', 'failed', 'cancelling', 'verifying')"
        ),
    )
    op.create_table(
        "ticks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", JSONB(none_as_null=True), nullable=True),
        sa.Column("ticked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_ticks_person_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_ticks_plan_id"),
        sa.ForeignKeyConstraint(["revision_id"], ["plan_revisions.id"], name="fk_ticks_revision_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_ticks_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticks"),
    )
    op.create_index(
        "uq_ticks_standing",
        "ticks",
        ["plan_id", "target_id", "item_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("format", sa.Text(), server_default="directory", nullable=False),
        sa.Column("jobs", sa.BigInteger(), server_default="2", nullable=False),
        sa.Column("tables", JSONB(none_as_null=True), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("entries", sa.BigInteger(), nullable=True),
        sa.Column("manifest", JSONB(none_as_null=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("\"format\" IN ('directory', 'custom')", name=op.f("ck_backups_format_is_known")),
        sa.CheckConstraint(
            "\"state\" IN ('queued', 'running', 'done', 'failed', 'deleted')", name=op.f("ck_backups_state_is_known")
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["people.id"], name="fk_backups_requested_by"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_backups_run_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_backups_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
    )
    op.create_index("ix_backups_target_id_finished_at", "backups", ["target_id", "finished_at"], unique=False)
    op.create_index(
        "uq_backups_requested",
        "backups",
        ["target_id"],
        unique=True,
        postgresql_where=sa.text("run_id IS NULL AND state IN ('queued', 'running')"),
    )
    op.create_table(
        "gate_answers",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_gate_answers_person_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_gate_answers_run_id"),
        sa.PrimaryKeyConstraint("run_id", "step_id", name="pk_gate_answers"),
    )
    op.create_table(
        "metric_snapshots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("content", JSONB(none_as_null=True), nullable=False),
        sa.Column("verdict", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "\"window\" IN ('before', '1h', '24h', '1w', 'now')", name=op.f("ck_metric_snapshots_window_is_known")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_metric_snapshots_run_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_metric_snapshots_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_metric_snapshots"),
    )
    op.create_index("ix_metric_snapshots_run_id_window", "metric_snapshots", ["run_id", "window"], unique=False)
    op.create_index("ix_metric_snapshots_target_id_taken_at", "metric_snapshots", ["target_id", "taken_at"], unique=False)
    op.create_table(
        "monitoring_items",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("figures", JSONB(none_as_null=True), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"state\" IN ('pending', 'passed', 'failed', 'unknown', 'overridden')",
            name=op.f("ck_monitoring_items_state_is_known"),
        ),
        sa.CheckConstraint(
            "\"window\" IN ('before', '1h', '24h', '1w', 'now')", name=op.f("ck_monitoring_items_window_is_known")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_monitoring_items_person_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_monitoring_items_run_id"),
        sa.PrimaryKeyConstraint("run_id", "item_id", "window", name="pk_monitoring_items"),
    )
    op.create_table(
        "run_events",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_events_run_id"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_run_events"),
    )
    op.create_table(
        "run_gauges",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("payload", JSONB(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_gauges_run_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_gauges"),
    )
    op.create_table(
        "run_steps",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "\"state\" IN ('pending', 'running', 'waiting', 'succeeded', 'failed', 'skipped', 'rolled_back')",
            name=op.f("ck_run_steps_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_steps_run_id"),
        sa.PrimaryKeyConstraint("run_id", "step_id", name="pk_run_steps"),
    )
    op.create_index("ix_run_steps_run_id_position", "run_steps", ["run_id", "position"], unique=True)
    op.create_table(
        "verifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("report", JSONB(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("\"state\" IN ('passed', 'failed', 'unknown')", name=op.f("ck_verifications_state_is_known")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_verifications_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_verifications"),
    )
    op.create_index("ix_verifications_run_id", "verifications", ["run_id"], unique=False)
    op.create_table(
        "restores",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("backup_id", sa.BigInteger(), nullable=False),
        sa.Column("new_database", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("error", JSONB(none_as_null=True), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("\"state\" IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_restores_state_is_known")),
        sa.ForeignKeyConstraint(["backup_id"], ["backups.id"], name="fk_restores_backup_id"),
        sa.ForeignKeyConstraint(["requested_by"], ["people.id"], name="fk_restores_requested_by"),
        sa.PrimaryKeyConstraint("id", name="pk_restores"),
    )
    op.create_index(
        "uq_restores_open",
        "restores",
        ["backup_id", "new_database"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_foreign_key("fk_plans_current_revision_id", "plans", "plan_revisions", ["current_revision_id"], ["id"])
    op.execute(REFUSE)
    for table, acts in GUARDED.items():
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE {acts} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION headgate_refuse_change()"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("restores")
    op.drop_table("verifications")
    op.drop_table("run_steps")
    op.drop_table("run_gauges")
    op.drop_table("run_events")
    op.drop_table("monitoring_items")
    op.drop_table("metric_snapshots")
    op.drop_table("gate_answers")
    op.drop_table("backups")
    op.drop_table("ticks")
    op.drop_table("runs")
    op.drop_table("rehearsals")
    op.drop_table("overrides")
    op.drop_table("decisions")
    op.drop_table("comments")
    op.drop_table("analyses")
    op.drop_constraint("fk_plans_current_revision_id", "plans", type_="foreignkey")
    op.drop_table("plan_revisions")
    op.drop_table("schema_snapshots")
    op.drop_table("plans")
    op.drop_table("targets")
    op.drop_table("sign_ins")
    op.drop_table("memberships")
    op.drop_table("jobs")
    op.drop_table("environments")
    op.drop_table("audit_log")
    op.drop_table("api_tokens")
    op.drop_table("projects")
    op.drop_table("people")
    op.execute("DROP FUNCTION headgate_refuse_change()")
