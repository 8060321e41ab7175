"""Kind `backup`: pg_dump before the first change. Pause is not offered: a dump that stops half-way is worth nothing."""

from app.backup.dump import DumpOrder, dump
from app.backup.keep import Artifact
from app.backup.place import Place
from app.backup.progress import Progress
from app.backup.source import measure
from app.plan.model import Step
from app.run.events import BackupFinished, BackupStarted, Gauge
from app.steps.protocol import Done, StepContext, StepRun


class Backup:
    """Dumps the target, or the tables that the step names, hashes the files and lets pg_restore list them."""

    name = "backup"
    is_one_unit = True

    def describe(self, step: Step) -> str:
        """One plain sentence."""
        tables = step.spec.get("tables")
        return f"Backs up {', '.join(tables)}" if tables else "Backs up the whole database"

    def run(self, context: StepContext) -> StepRun:
        """Dump anew in every attempt: a dump that was cut off left nothing behind."""
        spec, started = context.step.spec, context.clock.monotonic()
        tables = tuple(spec.get("tables") or ())
        source = measure(context.dsn, tables)
        yield BackupStarted(step=context.step.id, source_bytes=source.bytes, tables=len(source.with_rows))
        running = dump(_order(context, tables))
        try:
            while True:
                try:
                    progress = next(running)
                except StopIteration as end:
                    artifact: Artifact = end.value
                    break
                yield _gauge(context.step.id, progress)
        finally:
            running.close()
        seconds = context.clock.monotonic() - started
        manifest = artifact.manifest
        yield BackupFinished(
            step=context.step.id,
            path=artifact.location,
            size_bytes=manifest.bytes,
            sha256=manifest.sha256,
            entries=manifest.entries,
            seconds=seconds,
        )
        return Done(result={"seconds": seconds, **artifact.summary()})


def _order(context: StepContext, tables: tuple[str, ...]) -> DumpOrder:
    spec = context.step.spec
    place: Place = context.options["backups"]
    return DumpOrder(
        dsn=context.dsn,
        place=place,
        name=f"run-{context.run}-{context.step.id}",
        format=spec.get("format", "directory"),
        jobs=int(spec.get("jobs", 2)),
        tables=tables,
        application_name=f"headgate run {context.run_label} backup",
        ratio=context.options.get("backup_ratio"),
    )


def _gauge(step_id: str, progress: Progress) -> Gauge:
    return Gauge(
        step=step_id,
        phase=_in_words(progress),
        source="size of the files written; compression makes the end smaller than the source",
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
    )


def _in_words(progress: Progress) -> str:
    """What goes on: ``3 of 12 tables begun, at public.users``."""
    if progress.tables_total is None or progress.phase != "dumping":
        return progress.phase.capitalize() + (f" {progress.current}" if progress.current else "")
    at = f", at {progress.current}" if progress.current else ""
    return f"{progress.tables_done} of {progress.tables_total} tables begun{at}"
