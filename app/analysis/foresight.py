"""The schema that a script would leave, from the catalog and the statements alone, where that is certain.

What can't be told without running it is a doubt: the relation's definition after the plan is then left to the rehearsal. New
parts are spelled as the statement spells them; PostgreSQL may print them otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from app.analysis.foresight_alter import alter
from app.analysis.foresight_parts import Doubt, created, index_of
from app.analysis.foresight_state import Foresight
from app.analysis.report import Analysis
from app.catalog.preview import Preview, preview
from app.catalog.records import Schema, Trigger
from app.sql.inverse.known import Known, parts_of
from app.sql.names import from_range_var
from app.sql.split import Statement, split
from app.sql.tree import commands

#: kinds that leave every relation's definition as it is
_INERT = frozenset(
    {
        "AlterEnumStmt",
        "AlterExtensionStmt",
        "AlterFunctionStmt",
        "AlterSeqStmt",
        "CheckPointStmt",
        "ClusterStmt",
        "ConstraintsSetStmt",
        "CopyStmt",
        "CreateDomainStmt",
        "CreateEnumStmt",
        "CreateExtensionStmt",
        "CreateFunctionStmt",
        "CreatePublicationStmt",
        "CreateSchemaStmt",
        "CreateSeqStmt",
        "DeleteStmt",
        "DiscardStmt",
        "ExplainStmt",
        "GrantStmt",
        "InsertStmt",
        "LockStmt",
        "MergeStmt",
        "NotifyStmt",
        "RefreshMatViewStmt",
        "ReindexStmt",
        "TransactionStmt",
        "TruncateStmt",
        "UpdateStmt",
        "VacuumStmt",
        "VariableShowStmt",
    }
)
_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_TYPE"})
_OPAQUE = frozenset({"CallStmt", "DoStmt", "ExecuteStmt", ""})


def foresee_analysis(analysis: Analysis, schema: Schema) -> Preview:
    """The preview of what was analysed."""
    statements = [replace(read, index=report.index) for report in analysis.statements for read in split(report.sql)[:1]]
    after, doubts = foresee(statements, schema)
    return preview(schema, after, basis="statements", doubts=doubts)


def foresee(statements: Iterable[Statement], schema: Schema) -> tuple[Schema, Mapping[str, set[str]]]:
    """The schema after the statements, and for each relation that is not certain the reasons."""
    foresight = Foresight(schema)
    for statement in statements:
        _follow(foresight, statement)
    return foresight.schema, dict(foresight.doubts)


def _follow(now: Foresight, statement: Statement) -> None:
    """Take one more statement into account."""
    step = _BY_KIND.get(statement.kind)
    try:
        if statement.body.get("schemaElts"):
            now.doubts[""].add(f"statement {statement.index} makes a schema with what is in it")
        elif step is not None:
            step(now, statement)
        elif statement.kind in _OPAQUE:
            now.doubts[""].add(f"what statement {statement.index} does is known only when it runs")
        elif statement.kind not in _INERT and not (statement.kind == "SelectStmt" and "intoClause" not in statement.body):
            now.doubt_named(statement, "is not foreseen")
    except Doubt as doubt:
        now.doubt_named(statement, doubt.reason)
    except (KeyError, IndexError, TypeError, AttributeError):
        # a shape of the tree that is not known here
        now.doubt_named(statement, "is written in a way that is not foreseen")


def _create(now: Foresight, statement: Statement) -> None:
    body = statement.body
    if body["relation"].get("relpersistence") == "t":
        return
    name = now.key(body["relation"])
    if name in now.schema.relations:
        if body.get("if_not_exists"):
            return
        raise Doubt("makes a table that is there already")
    now.put(created(name, body, Known(schema=now.schema)))


def _alter(now: Foresight, statement: Statement) -> None:
    body = statement.body
    if body.get("objtype") != "OBJECT_TABLE":
        raise Doubt("changes something other than a table")
    name = now.key(body["relation"])
    if body.get("missing_ok") and name not in now.schema.relations:
        return
    relation = now.plain(name)
    if any(command.get("behavior") == "DROP_CASCADE" for command in commands(body)):
        now.doubts[""].add(f"CASCADE in statement {statement.index} takes what depends on it along")
    if now.has_heirs(name):
        raise Doubt("reaches the tables that inherit from it")
    now.put(alter(relation, body, Known(schema=now.schema), statement))


def _index(now: Foresight, statement: Statement) -> None:
    relation = now.plain(now.key(statement.body["relation"]))
    made = index_of(relation, statement, Known(schema=now.schema))
    if now.home_of(made.name) is not None:
        if not statement.body.get("if_not_exists"):
            raise Doubt("makes an index that is there already")
    else:
        now.put(replace(relation, indexes=(*relation.indexes, made)))


def _drop(now: Foresight, statement: Statement) -> None:
    body, known = statement.body, Known(schema=now.schema)
    if body.get("removeType") not in {*_RELATIONS, "OBJECT_INDEX", "OBJECT_TRIGGER"}:
        if body.get("behavior") == "DROP_CASCADE":
            now.doubts[""].add(f"CASCADE in statement {statement.index} takes what depends on it along")
        return
    if body.get("behavior") == "DROP_CASCADE":
        now.doubts[""].add(f"CASCADE in statement {statement.index} takes what depends on it along")
    going = {known.key_of(parts[0] if len(parts) > 1 else "", parts[-1]) for parts in map(parts_of, body.get("objects", ()))}
    if body["removeType"] == "OBJECT_TABLE" and _is_needed(now, going) and body.get("behavior") != "DROP_CASCADE":
        raise Doubt("drops what others depend on")
    for entry in body.get("objects", ()):
        parts = parts_of(entry)
        if body["removeType"] == "OBJECT_INDEX":
            places = [".".join(parts)] if len(parts) > 1 else [f"{place}.{parts[0]}" for place in now.schema.search_path]
            for found, home in [(name, home) for name in places if (home := now.home_of(name)) is not None][:1]:
                relation = now.plain(home.name)
                now.put(replace(relation, indexes=tuple(kept for kept in relation.indexes if kept.name != found)))
        elif body["removeType"] == "OBJECT_TRIGGER":
            relation = now.plain(known.key_of(parts[0] if len(parts) > 2 else "", parts[-2]))  # noqa: PLR2004  # schema, table, trigger
            now.put(replace(relation, triggers=tuple(kept for kept in relation.triggers if kept.name != parts[-1])))
        else:
            now.drop(known.key_of(parts[0] if len(parts) > 1 else "", parts[-1]))


def _is_needed(now: Foresight, going: set[str]) -> bool:
    """True where something that stays depends on one of the tables."""
    heirs = any(going & {*child.parents} and not child.partition_bound for child in now.schema.relations.values())
    staying = [relation for name, relation in now.schema.relations.items() if name not in going]
    dependents = [one.name for name in going if (relation := now.schema.relations.get(name)) for one in relation.dependents]
    return heirs or bool(dependents) or any(item.references in going for relation in staying for item in relation.constraints)


def _trigger(now: Foresight, statement: Statement) -> None:
    relation = now.plain(now.key(statement.body["relation"]))
    name = str(statement.body["trigname"])
    function = ".".join(str(part["String"]["sval"]) for part in statement.body["funcname"])
    made = Trigger(name=name, relation=relation.name, definition=statement.text, function=function)
    kept = tuple(trigger for trigger in relation.triggers if trigger.name != name)
    now.put(replace(relation, triggers=(*kept, made)))


def _comment(now: Foresight, statement: Statement) -> None:
    body, known = statement.body, Known(schema=now.schema)
    kind, parts = body.get("objtype"), parts_of(body.get("object", {}))
    text = body.get("comment")
    if kind in _RELATIONS - {"OBJECT_TYPE"}:
        relation = now.existing(known.key_of(parts[0] if len(parts) > 1 else "", parts[-1]))
        now.put(replace(relation, comment=text))
    elif kind == "OBJECT_COLUMN":
        relation = now.existing(known.key_of(parts[0] if len(parts) > 2 else "", parts[-2]))  # noqa: PLR2004  # schema, table, column
        columns = tuple(replace(each, comment=text) if each.name == parts[-1] else each for each in relation.columns)
        now.put(replace(relation, columns=columns))


def _rename(now: Foresight, statement: Statement) -> None:
    body = statement.body
    if "relation" not in body:
        now.doubts[""].add(f"statement {statement.index} gives something another name")
        return
    name = from_range_var(body["relation"])
    if body.get("renameType") == "OBJECT_TABLE":
        relation = now.plain(now.key(body["relation"]))
        renamed = f"{relation.name.rpartition('.')[0]}.{body['newname']}"
        now.drop(relation.name)
        now.put(replace(relation, name=renamed))
        now.doubts[renamed].add(f"it is {name} under another name, whose constraints and indexes keep theirs")
        return
    if (
        body.get("renameType") in {"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"}
        and not now.existing(now.key(body["relation"])).dependents
    ):
        reason = f"statement {statement.index} gives a part of it another name, which other parts follow"
        now.doubt(now.key(body["relation"]), reason)
        return
    raise Doubt("gives something another name, which others follow")


def _setting(now: Foresight, statement: Statement) -> None:
    if statement.body.get("name") == "search_path":
        now.doubts[""].add(f"statement {statement.index} changes the search_path, and with it what names mean")


_BY_KIND: Mapping[str, Callable[[Foresight, Statement], None]] = {
    "AlterTableStmt": _alter,
    "CommentStmt": _comment,
    "CreateStmt": _create,
    "CreateTrigStmt": _trigger,
    "DropStmt": _drop,
    "IndexStmt": _index,
    "RenameStmt": _rename,
    "VariableSetStmt": _setting,
}
