"""Where backups go and how they are kept there: a value that edges make from the settings and hand down."""

from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Access:
    """How object storage is reached; without keys the platform's own credentials are used."""

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where backups go; the repr holds no secret."""

    #: local backups, and the room where a dump is written before it goes elsewhere
    directory: Path
    #: ``s3://bucket/prefix``, or None for the directory
    url: str | None = None
    s3: S3Access = S3Access()
    #: age public keys that backups are encrypted to; empty: not encrypted
    recipients: tuple[str, ...] = ()
    #: the age identities that open them; a worker without it writes and checks backups, and can't read them
    identity_file: Path | None = None
    #: where pg_dump and pg_restore are
    bin_dir: Path | None = None


def place_of(settings: Settings) -> Place:
    """The place that the settings name."""
    secret = settings.s3_secret_access_key
    return Place(
        directory=settings.backups,
        url=settings.backup_url or None,
        s3=S3Access(
            endpoint=settings.s3_endpoint or None,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id or None,
            secret_access_key=secret.get_secret_value() if secret else None,
        ),
        recipients=tuple(word for word in settings.backup_recipients.replace(",", " ").split() if word),
        identity_file=settings.backup_identity_file,
        bin_dir=settings.client_bin_dir,
    )
