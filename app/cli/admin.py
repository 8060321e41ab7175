"""`headgate migrate`, `user`, `target`, `token`, `audit`: administration without the pages, on Headgate's own database."""

import argparse
import getpass
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.exc import OperationalError

from app.actions import wording
from app.actions.add_target import add_target
from app.actions.create_environment import create_environment
from app.actions.create_project import create_project
from app.actions.deactivate_person import deactivate_person
from app.actions.invite_person import invite_person
from app.actions.issue_token import issue_token, revoke_token
from app.actions.work import Work
from app.cli.desk import unreachable, work_at_home
from app.cli.reading import add_dsn, add_json, dsn_of
from app.contract import CONTRACT
from app.errors import NotFoundError
from app.review.roles import Role
from app.settings import get_settings
from app.store import audit, migrate, passwords, people, sign_ins, targets
from app.store.tables.people import Person
from app.store.tables.targets import Environment, Project
from app.target.secrets import load_keys


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    _command(subparsers, "migrate", "bring Headgate's own database to this version", _migrate)
    user = _group(subparsers, "user", "accounts")
    add = _command(user, "add", "make an account; the password is asked for, or read from standard input", _user_add)
    add.add_argument("email")
    add.add_argument("--name", default="")
    add.add_argument("--admin", action="store_true", help="every right in every project")
    add.add_argument("--project", help="a project's slug, with --role")
    add.add_argument("--role", choices=[role.value for role in Role], default=Role.VIEWER.value)
    _command(user, "list", "all accounts", _user_list)
    _command(user, "close", "close an account", _user_close).add_argument("email")
    target = _group(subparsers, "target", "target databases")
    add = _command(target, "add", "register a database; project and environment are made where they are missing", _target_add)
    add.add_argument("name")
    add.add_argument("--project", required=True, help="the project's slug or name")
    add.add_argument("--environment", required=True, help="the environment's name")
    add.add_argument("--production", action="store_true", help="where the environment is made: it is production")
    add_dsn(add, saved=False)
    _command(target, "list", "all targets, never their passwords", _target_list)
    _command(target, "rotate-keys", "seal every connection string with the newest key", _target_rotate)
    token = _group(subparsers, "token", "API tokens")
    add = _command(token, "add", "make a token; it is shown once", _token_add)
    add.add_argument("email", help="the person it acts for")
    add.add_argument("--name", required=True)
    add.add_argument("--scope", action="append", default=[], help="the name of a permission; default: all of the person's")
    _command(token, "list", "all tokens, never their text", _token_list)
    _command(token, "revoke", "take a token back", _token_revoke).add_argument("id", type=int)
    log = _group(subparsers, "audit", "the audit log")
    _command(log, "export", "every line as JSON, one a line, oldest first", _audit_export)
    _command(log, "verify", "check the hash chain; exit code 1 where it is broken", _audit_verify)


def _group(subparsers: Any, name: str, text: str) -> Any:
    return subparsers.add_parser(name, help=text).add_subparsers(metavar="COMMAND", required=True)


def _command(subparsers: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=text)
    add_json(parser)
    parser.set_defaults(run=run)
    return parser


def _migrate(args: argparse.Namespace) -> int:
    url = get_settings().database_url.get_secret_value()
    try:
        before = migrate.current(url)
        migrate.upgrade(url)
    except OperationalError as error:
        raise unreachable(error) from None
    after = migrate.current(url)
    text = f"Already at {after}." if before == after else f"From {before or 'nothing'} to {after}."
    return _say(args, {"before": before, "after": after}, text)


def _user_add(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        if args.project:
            project = _project(work, args.project)
            known = people.by_email(work.session, args.email) is not None
            made = invite_person(
                work,
                project_id=project.id,
                email=args.email,
                name=args.name,
                role=args.role,
                password=None if known else _password(),
            ).person
            made.is_admin = made.is_admin or args.admin
        else:
            made = _account(work, args)
        shown = _person(made)
    return _say(args, shown, f"{shown['email']} may sign in.")


def _account(work: Work, args: argparse.Namespace) -> Person:
    email = wording.email(args.email)
    people.hold(work.session)
    if people.by_email(work.session, email) is not None:
        raise wording.refused("email", f"There is an account {email} already.")
    password = _password()
    passwords.check_new(password)
    name = wording.name(args.name or email.partition("@")[0])
    hashed = passwords.hash_password(password)
    person = people.add(work.session, email=email, name=name, password_hash=hashed, is_admin=args.admin)
    work.note("add_person", "person", person.id, email=email, is_admin=args.admin)
    return person


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


def _user_list(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        rows = [_person(person) for person in people.everybody(work.session)]
    return _list(args, "people", rows)


def _user_close(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        shown = _person(deactivate_person(work, person_id=_known(work, args.email).id))
    return _say(args, shown, f"{shown['email']} is closed.")


def _target_add(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        environment = _environment(work, args)
        target = add_target(work, environment_id=environment.id, name=args.name, dsn=dsn_of(args))
        shown = {"id": target.id, "name": target.name, "environment": environment.name, "where": target.dsn_summary}
    return _say(args, shown, f"{shown['name']} is {shown['where']}; a worker tests it.")


def _target_list(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        rows = [
            {
                "id": target.id,
                "project": project.slug,
                "environment": environment.name,
                "name": target.name,
                "where": target.dsn_summary,
                "server_version": target.server_version,
            }
            for project in targets.projects(work.session)
            for target, environment in targets.of_project(work.session, project.id)
        ]
    return _list(args, "targets", rows)


def _target_rotate(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        changed = targets.rotate_dsns(work.session, load_keys(work.settings))
        work.note("rotate_keys", "target", None, changed=changed)
    return _say(args, {"changed": changed}, f"{changed} connection strings were sealed anew.")


def _token_add(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        person = _known(work, args.email)
        issued = issue_token(work, person_id=person.id, name=args.name, scopes=args.scope)
        shown = {"id": issued.row.id, "name": issued.row.name, "person": person.email, "token": issued.text}
    return _say(args, shown, f"{issued.text}\nIt is shown this once.")


def _token_list(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        rows = [
            {
                "id": token.id,
                "name": token.name,
                "person_id": token.person_id,
                "scopes": token.scopes,
                "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
                "is_revoked": token.revoked_at is not None,
            }
            for token in sign_ins.tokens(work.session)
        ]
    return _list(args, "tokens", rows)


def _token_revoke(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        row = revoke_token(work, token_id=args.id)
    return _say(args, {"id": row.id, "is_revoked": True}, f"Token {row.id} does not work any more.")


def _audit_verify(args: argparse.Namespace) -> int:
    with work_at_home() as work:
        state = audit.verify_all(work.session)
    good = state.broken_at is None
    text = f"{state.lines} lines, the chain holds: {state.head}" if good else f"The chain is broken at line {state.broken_at}."
    _say(args, {"ok": good, "lines": state.lines, "broken_at": state.broken_at, "head": state.head}, text)
    return 0 if good else 1


def _audit_export(_: argparse.Namespace) -> int:
    with work_at_home() as work:
        for line in audit.all_lines(work.session):
            print(json.dumps({"contract": CONTRACT, **audit.as_json(line)}))
    return 0


def _project(work: Work, name: str) -> Project:
    for project in targets.projects(work.session):
        if name in {project.slug, project.name}:
            return project
    raise NotFoundError(f"There is no project {name}.", hint="`headgate target list` names them by their slug.")


def _environment(work: Work, args: argparse.Namespace) -> Environment:
    try:
        project = _project(work, args.project)
    except NotFoundError:
        project = create_project(work, name=args.project)
    for environment in targets.environments(work.session, project.id):
        if environment.name == args.environment:
            return environment
    return create_environment(work, project_id=project.id, name=args.environment, is_production=args.production)


def _known(work: Work, email: str) -> Person:
    person = people.by_email(work.session, email)
    if person is None:
        raise NotFoundError(f"There is no account {email}.", hint="`headgate user list` names all.")
    return person


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "is_admin": person.is_admin,
        "is_active": person.is_active,
    }


def _say(args: argparse.Namespace, shown: Mapping[str, Any], text: str) -> int:
    print(json.dumps({"contract": CONTRACT, **shown}) if args.format == "json" else text)
    return 0


def _list(args: argparse.Namespace, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    found = list(rows)
    if args.format == "json":
        print(json.dumps({"contract": CONTRACT, name: found}))
    else:
        for row in found:
            print("  ".join(str(value) for value in row.values()))
    return 0
