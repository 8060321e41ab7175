"""What people hand in, read as a plan (migration files, an archive, SQL, a plan file): a preview before anything is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.actions import wording
from app.catalog.encoding import schema_from_json
from app.catalog.records import Schema
from app.errors import InvalidInputError
from app.importing.draft import draft
from app.importing.read import Imported, read_upload
from app.plan.brief import read_document
from app.plan.document import read_plan
from app.plan.errors import PlanError
from app.plan.model import Plan
from app.sql.inverse import Deriver
from app.store import targets

#: what pasted SQL is called where a refusal has to name its place
PASTED, PASTED_BACK = "pasted.up.sql", "pasted.down.sql"
_PLAN_SUFFIXES = (".yaml", ".yml", ".md", ".markdown")
_DOCUMENT_SUFFIXES = (".md", ".markdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that was read and not kept yet."""

    plan: Plan
    #: what was recognised file by file; None for a plan file
    imported: Imported | None
    #: the text itself, where it was one
    source_text: str | None


def read_draft(
    session: Session,
    *,
    target_id: int | None,
    name: str = "",
    files: Mapping[str, bytes] | None = None,
    sql: str = "",
    down_sql: str = "",
    plan_text: str = "",
    tool: str | None = None,
    backfills: bool = True,
    accept_irreversible: bool = False,
) -> Draft:
    """Read exactly one of ``files`` (by relative name, or one zip archive, or one plan file), ``sql`` and ``plan_text``.

    The target's last known schema helps to derive rollbacks. ``name`` overrides the name that the files suggest.
    Raises InvalidInputError, PlanError, ImportRefusedError, SqlSyntaxError, MetaCommandError.
    """
    if sum(map(bool, (files, sql.strip(), plan_text.strip()))) != 1:
        raise InvalidInputError(
            "Give one of: migration files, SQL, or a plan file.", fields={"files": "Choose files, or paste SQL or a plan."}
        )
    schema = last_schema(session, target_id)
    title = " ".join(name.split())[: wording.LONGEST_NAME]
    single = _single_plan_file(files)
    if single is not None:
        return _from_plan_file(single[1], single[0], title, schema)
    if plan_text.strip():
        return _from_plan_file(plan_text, "plan.yaml", title, schema)
    imported = _pasted(sql, down_sql, title) if sql.strip() else read_upload(files or {}, tool)
    plan = draft(
        imported.migrations,
        name=title or _suggested_name(imported),
        tool=imported.tool,
        schema=schema,
        backfills=backfills,
        accept_irreversible=accept_irreversible,
    )
    return Draft(plan=plan if plan.name else _called_by_its_steps(plan), imported=imported, source_text=sql or None)


def last_schema(session: Session, target_id: int | None) -> Schema | None:
    """The target's schema as it was last seen."""
    snapshot = targets.newest_snapshot(session, target_id) if target_id is not None else None
    return None if snapshot is None else schema_from_json(snapshot.content)


def _single_plan_file(files: Mapping[str, bytes] | None) -> tuple[str, bytes] | None:
    if files is None or len(files) != 1:
        return None
    name, content = next(iter(files.items()))
    return (name, content) if name.lower().endswith(_PLAN_SUFFIXES) else None


def _from_plan_file(content: str | bytes, file: str, title: str, schema: Schema | None) -> Draft:
    if file.lower().endswith(_DOCUMENT_SUFFIXES) or (isinstance(content, str) and content.lstrip().startswith("# ")):
        text = content if isinstance(content, str) else _decoded(content, file)
        plan = read_document(text, file=file)
    else:
        plan = read_plan(content, file=file, derive=Deriver(schema).derive)
        text = content if isinstance(content, str) else content.decode()
    return Draft(plan=replace(plan, name=title) if title else plan, imported=None, source_text=text)


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PlanError(f"{file} is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8.", file=file) from None


def _pasted(sql: str, down_sql: str, title: str) -> Imported:
    """Pasted text as one migration that is called like its plan, be that nothing: it has no file to be called after."""
    files = {PASTED: sql.encode()} | ({PASTED_BACK: down_sql.encode()} if down_sql.strip() else {})
    imported = read_upload(files, "sql")
    return replace(imported, migrations=tuple(replace(migration, name=title) for migration in imported.migrations))


def _called_by_its_steps(plan: Plan) -> Plan:
    first, *others = (step.title for step in plan.steps())
    more = f", and {len(others)} more" if others else ""
    return replace(plan, name=f"{first[: wording.LONGEST_NAME - len(more)]}{more}")


def _suggested_name(imported: Imported) -> str:
    names = [migration.name for migration in imported.migrations]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
