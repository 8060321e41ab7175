"""The pages of a backup and of a restore: how far it is, what proves it, what failed, and the swap behind the typed name."""

from typing import Any

import pytest

from app.store import backups
from app.store.tables import Backup, Restore, Target
from app.store.words import BackupState, RestorePurpose, RestoreState
from tests.web.site import Forms, Site


def a_backup(site: Site, **values: Any) -> int:
    number = site.world.backed_up()
    with site.world.sessions.begin() as session:
        row = session.get_one(Backup, number)
        row.size_bytes, row.sha256, row.path = 33_222_832, "a" * 64, "/backups/target-2-backup-1"
        row.manifest = {"rows": {"public.users": 1000, "public.orders": 5}, "source_bytes": 183_000_000}
        for name, value in values.items():
            setattr(row, name, value)
    return number


def a_restore(site: Site, backup: int, **values: Any) -> int:
    number = site.world.restored(backup)
    with site.world.sessions.begin() as session:
        row = session.get_one(Restore, number)
        for name, value in values.items():
            setattr(row, name, value)
    return number


RESULT = {
    "seconds": 6.3,
    "server_version_num": 180006,
    "tables": 2,
    "rows": {"public.users": 1000, "public.orders": 5},
    "total_rows": 1005,
    "is_equal": True,
    "differs": {},
    "uncounted": [],
    "left_out": "Extensions that this role may not make: pg_stat_statements.",
    "where": "db1/shop as owner",
}


def test_while_it_is_taken_the_page_tells_the_table_and_offers_the_end_but_no_pause(site: Site):
    progress = {"phase": "dumping", "bytes_done": 29 << 20, "bytes_total": 175 << 20, "tables_done": 6, "tables_total": 11}
    number = a_backup(site, state=BackupState.RUNNING, progress={**progress, "current": "public.users"})
    page = site.browser("operator").get(f"/backups/{number}").text
    assert "pg_dump is at work, 6 of 11 tables begun, 29 MB written" in page
    assert '<code class="break">public.users</code>' in page
    assert 'hx-trigger="every 1s"' in page
    assert 'hx-select-oob="#backup-head, #backup-restore"' in page
    assert "It can&#39;t be paused" in page
    assert f"/backups/{number}/cancel" in page
    assert f"/backups/{number}/cancel" not in site.browser("viewer").get(f"/backups/{number}").text


def test_a_backup_that_failed_says_why_and_can_be_taken_again_as_it_was(site: Site):
    error = {"message": "There is no table public.nowhere in shop.", "hint": "Name tables as schema.table."}
    number = a_backup(site, state=BackupState.FAILED, error=error, tables=["public.nowhere", "public.users"], jobs=3)
    page = site.browser("operator").get(f"/backups/{number}").text
    assert "There is no table public.nowhere in shop." in page
    assert f"/backups/{number}/restore" not in page, "nothing was kept of it"
    fields = Forms(page).fields(f"/targets/{site.world.production.id}/backups")
    again = site.browser("operator").post(f"/targets/{site.world.production.id}/backups", data=fields)
    with site.world.sessions() as session:
        row = session.get_one(Backup, int(again.headers["location"].rsplit("/", 1)[1]))
        assert (row.state, row.tables, row.jobs) == (BackupState.QUEUED, ["public.nowhere", "public.users"], 3)
    assert "Take it again" not in site.browser("viewer").get(f"/backups/{number}").text


@pytest.mark.parametrize(
    ("is_equal", "words"), [(True, ", proven by a test restore"), (False, ", verified, not proven by a test restore")]
)
def test_a_proof_is_shown_with_its_rows_and_counts_in_the_checklist(site: Site, is_equal: bool, words: str):
    plan, number = site.world.imported(), a_backup(site, proven_at=site.world.clock.now() if is_equal else None)
    result = {**RESULT, "is_equal": is_equal, "differs": {} if is_equal else {"public.users": [1000, 999]}}
    proof = {"purpose": RestorePurpose.PROOF, "result": result, "finished_at": site.world.clock.now()}
    a_restore(site, number, **proof)
    browser = site.browser("operator")
    page = browser.get(f"/backups/{number}").text
    assert ("as many in each as when it was taken" in page) is is_equal
    assert ("1 table has other rows than when it was taken" in page) is not is_equal
    assert "Extensions that this role may not make: pg_stat_statements." in page
    assert words in browser.get(f"/plans/{plan.id}/checklist").text
    assert ("proven ·" in browser.get(f"/targets/{site.world.production.id}").text) is is_equal


def test_what_is_damaged_counts_no_more_and_the_file_is_named(site: Site):
    error = {"message": "2688.dat.gz differs from what was written.", "hint": "Take a new backup."}
    checked = {"at": "2026-01-05T12:00:00+00:00", "ok": False, "is_damaged": True, "seconds": 0.1, "error": error}
    number = a_backup(site, verified_at=None, checked=checked)
    page = site.browser("operator").get(f"/backups/{number}").text
    assert "2688.dat.gz differs from what was written." in page
    assert "It does not count as a backup any more." in page


def test_a_restored_database_is_swapped_only_after_a_look_at_its_sessions_and_with_the_typed_name(site: Site):
    number = a_restore(site, a_backup(site), result=RESULT, new_database="shop_again")
    browser = site.browser("operator")
    page = browser.get(f"/restores/{number}").text
    assert "Left out" in page
    assert f"/restores/{number}/sessions" in page
    assert f"/restores/{number}/swap" not in page, "first it is looked who is connected"
    seen = {"pid": 7, "application": "<shop>", "role": "app", "address": "10.0.0.9", "database": "shop", "state": "idle"}
    now = site.world.clock.now().isoformat()
    with site.world.sessions.begin() as session:
        session.get_one(Restore, number).sessions = {"at": now, "sessions": [{**seen, "since": now}]}
    page = browser.get(f"/restores/{number}").text
    assert "&lt;shop&gt;</b> as app from 10.0.0.9" in page
    refused = browser.post(f"/restores/{number}/swap", data={"confirmation": "shop", "end_sessions": "1"})
    assert (refused.status_code, "Type shop-production" in refused.text) == (422, True)
    kept = browser.post(f"/restores/{number}/swap", data={"confirmation": "shop-production"})
    assert (kept.status_code, "End these" in kept.text) == (422, True), "the sessions were not agreed to"
    assert (
        browser.post(f"/restores/{number}/swap", data={"confirmation": "shop-production", "end_sessions": "1"}).status_code == 303
    )
    with site.world.sessions() as session:
        assert session.get_one(Restore, number).state is RestoreState.SWAPPING
    assert "A worker swaps the two databases." in browser.get(f"/restores/{number}").text
    assert f"/restores/{number}/swap" not in site.browser("viewer").get(f"/restores/{number}").text


def test_the_pages_of_backups_belong_to_the_targets_and_say_why_one_is_kept(site: Site):
    number = a_backup(site)
    page = site.browser("viewer").get(f"/backups/{number}").text
    assert '<a href="/targets" aria-current="page">' in page
    assert "It is the newest good backup of the whole database; that one is never deleted." in page
    with site.world.sessions.begin() as session:
        session.get_one(Target, site.world.production.id).retired_at = site.world.clock.now()
    assert f"/backups/{number}/verify" not in site.browser("operator").get(f"/backups/{number}").text
    with site.world.sessions() as session:
        assert [row.id for row in backups.of_target(session, site.world.production.id, limit=5)] == [number]
