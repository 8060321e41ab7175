"""Kind `backup`: pg_dump before the first change. Pause is not offered: a dump that stops half-way is worth nothing."""

from datetime import UTC
from pathlib import Path

from app.backup.dump import DumpOrder, DumpProgress, dump, measure_source
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
        source_bytes, count, _ = measure_source(context.dsn, tables)
        yield BackupStarted(step=context.step.id, source_bytes=source_bytes, tables=count)
        running = dump(_order(context, tables))
        while True:
            try:
                progress = next(running)
            except StopIteration as end:
                artifact = end.value
                break
            try:
                yield _gauge(context.step.id, progress)
            except GeneratorExit:
                running.close()
                raise
        seconds = context.clock.monotonic() - started
        yield BackupFinished(
            step=context.step.id,
            path=str(artifact.path),
            size_bytes=artifact.size_bytes,
            sha256=artifact.sha256,
            entries=artifact.entries,
            seconds=seconds,
        )
        return Done(result={"path": str(artifact.path), "seconds": seconds, **artifact.as_json()})


def _order(context: StepContext, tables: tuple[str, ...]) -> DumpOrder:
    spec = context.step.spec
    directory = Path(context.options.get("backup_dir") or "backups")
    stamp = context.clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    bin_dir = context.options.get("client_bin_dir")
    return DumpOrder(
        dsn=context.dsn,
        path=directory / f"run-{context.run}-{context.step.id}-{stamp}",
        format=spec.get("format", "directory"),
        jobs=int(spec.get("jobs", 2)),
        tables=tables,
        bin_dir=Path(bin_dir) if bin_dir else None,
        application_name=f"headgate run {context.run_number} backup",
    )


def _gauge(step_id: str, progress: DumpProgress) -> Gauge:
    at = f", at {progress.current}" if progress.current else ""
    return Gauge(
        step=step_id,
        phase=f"{progress.tables_begun} of {progress.tables_total} tables begun{at}",
        source="size of the files written; compression makes the end smaller than the source",
        bytes_done=progress.bytes_written,
        bytes_total=progress.source_bytes,
    )
