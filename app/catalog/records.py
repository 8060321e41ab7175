"""What Headgate knows about a target database, as frozen records: no I/O, units in the names, OIDs never leave the reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RelationKind = Literal["table", "partitioned table", "view", "materialized view", "foreign table", "sequence", "composite type"]
ConstraintKind = Literal["primary key", "unique", "foreign key", "check", "not null", "exclusion", "trigger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a relation."""

    name: str
    #: as format_type() prints it, with its modifier: ``character varying(80)``
    type: str
    not_null: bool = False
    #: pg_get_expr() of the default, or None
    default: str | None = None
    identity: Literal["", "always", "by default"] = ""
    generated: Literal["", "stored", "virtual"] = ""
    collation: str | None = None
    comment: str | None = None
    #: the sequence that the column owns (serial or identity), qualified
    owned_sequence: str | None = None
    #: what SET STATISTICS, SET STORAGE and SET COMPRESSION have changed; None and "" mean the default
    statistics_target: int | None = None
    storage: str = ""
    compression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index, with the definition PostgreSQL prints."""

    #: qualified: ``public.users_email_key``
    name: str
    #: the table's qualified name
    relation: str
    #: pg_get_indexdef()
    definition: str
    #: plain key columns in order; an expression is None
    columns: tuple[str | None, ...] = ()
    included: tuple[str, ...] = ()
    method: str = "btree"
    is_unique: bool = False
    is_primary: bool = False
    is_valid: bool = True
    is_replica_identity: bool = False
    #: pg_get_expr() of a partial index's predicate
    predicate: str | None = None
    #: the constraint that owns it, or None
    constraint: str | None = None
    #: every column it depends on, expressions and predicate included
    depends_on: tuple[str, ...] = ()
    size_bytes: int = 0
    scans: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One constraint of a table (or of a domain)."""

    name: str
    relation: str
    kind: ConstraintKind
    #: pg_get_constraintdef()
    definition: str
    columns: tuple[str, ...] = ()
    is_validated: bool = True
    #: qualified name of the referenced table, for a foreign key
    references: str | None = None
    referenced_columns: tuple[str, ...] = ()
    #: the index behind it, qualified
    index: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One trigger that a person made."""

    name: str
    relation: str
    definition: str
    #: qualified name of its function
    function: str
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One row security policy."""

    name: str
    relation: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table, view, materialized view, foreign table or sequence, qualified: ``public.users``."""

    name: str
    kind: RelationKind
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    #: pg_get_viewdef() of a view
    view_definition: str | None = None
    #: qualified name of the partitioned parent or the inheritance parents
    parents: tuple[str, ...] = ()
    #: pg_get_expr(relpartbound), and the partition key of a partitioned table
    partition_bound: str | None = None
    partition_key: str | None = None
    is_unlogged: bool = False
    row_security: bool = False
    replica_identity: Literal["default", "nothing", "full", "index"] = "default"
    options: tuple[str, ...] = ()
    comment: str | None = None
    owner: str = ""
    #: qualified names of views, materialized views and functions that depend on it, with the columns they use
    dependents: tuple["Dependent", ...] = ()
    #: access rights as PostgreSQL prints them, ``reader=r/owner``; empty where nobody has granted anything
    grants: tuple[str, ...] = ()
    statistics: tuple["ExtendedStatistics", ...] = ()
    #: the composite type that a typed table (CREATE TABLE OF) follows, as format_type() prints it
    of_type: str | None = None
    tablespace: str = "pg_default"

    def column(self, name: str) -> Column | None:
        """The column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def constraint(self, name: str) -> Constraint | None:
        """The constraint of that name, if there is one."""
        return next((constraint for constraint in self.constraints if constraint.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """An object that would break or go when a relation or a column goes."""

    kind: str
    name: str
    #: columns it uses; empty means the relation as a whole
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedStatistics:
    """Statistics over several columns or an expression, made by CREATE STATISTICS."""

    #: qualified
    name: str
    #: pg_get_statisticsobjdef()
    definition: str
    #: every column it depends on
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumType:
    """An enum type and its labels in order."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain, its base type, and whether anything checks it."""

    name: str
    base_type: str
    not_null: bool = False
    default: str | None = None
    constraints: tuple[Constraint, ...] = ()
    #: tables with a column of it, qualified
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or procedure that a person made."""

    #: qualified, with argument types: ``public.f(integer, text)``
    signature: str
    language: str
    volatility: Literal["immutable", "stable", "volatile"]
    definition: str
    kind: Literal["function", "procedure", "aggregate", "window"] = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A sequence and what owns it."""

    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    #: ``public.users.id``, or None
    owned_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Everything that a person made in a database, without PostgreSQL's own and Headgate's schemas."""

    server_version_num: int = 180000
    #: schemas in which unqualified names are looked up, in order
    search_path: tuple[str, ...] = ("public",)
    schemas: tuple[str, ...] = ("public",)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    enums: Mapping[str, EnumType] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    #: objects with a comment, grants or marks that their records do not hold: ``index public.users_nick_idx``
    decorated: tuple[str, ...] = ()
    #: publication -> the tables that it names, qualified
    publications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: extension -> tables and views that need a type, an operator class or a function of it
    extension_users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def resolve(self, name: str) -> str | None:
        """The qualified name of a relation by its possibly unqualified name, or None."""
        if "." in name and name in self.relations:
            return name
        return next((f"{schema}.{name}" for schema in self.search_path if f"{schema}.{name}" in self.relations), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationStatistics:
    """Size and traffic of one table, from pg_class and pg_stat_user_tables."""

    name: str
    #: reltuples; None where the table was never analyzed
    estimated_rows: int | None
    table_bytes: int
    indexes_bytes: int
    total_bytes: int
    live_rows: int = 0
    dead_rows: int = 0
    sequential_scans: int = 0
    index_scans: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    #: statements per second that touched it between the last two looks; None where there was only one look
    reads_per_second: float | None = None
    writes_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStatistics:
    """One entry of pg_stat_statements."""

    query_id: int
    query: str
    calls: int
    total_ms: float
    mean_ms: float
    rows: int
    max_ms: float = 0.0
    stddev_ms: float = 0.0
    shared_blocks_hit: int = 0
    shared_blocks_read: int = 0
    wal_bytes: int = 0
    #: since the last look, or on average since it is counted; None where that is too short to tell
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Sizes and traffic of a target at one moment."""

    relations: Mapping[str, RelationStatistics] = field(default_factory=dict)
    queries: tuple[QueryStatistics, ...] = ()
    database_bytes: int = 0
    #: False where pg_stat_statements is missing or hidden
    has_statements: bool = False
    #: how long the rates were counted: since the last look, or since statistics began; None where there are none
    counted_seconds: float | None = None
    is_since_last_look: bool = False
