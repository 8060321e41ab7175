"""Every HEADGATE_* variable: unit in the name, default, reason. Policy per environment is data, not settings."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

#: files named like the variables (headgate_database_url) are read from here where a container platform puts secrets
SECRETS_DIR = Path("/run/secrets")


class Settings(BaseSettings):
    """Headgate's configuration, read once from the environment; docs/operating.md lists it (a house test compares them)."""

    model_config = SettingsConfigDict(
        env_prefix="HEADGATE_", frozen=True, secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None, extra="ignore"
    )

    database_url: SecretStr = Field(
        default=SecretStr("postgresql:///headgate"),
        description="Headgate's own database, a libpq URI. It needs a direct connection: LISTEN does not pass a pooler.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr("redis://localhost:6379/0"),
        description="The broker that carries wake-ups; losing everything in it costs seconds, never a run.",
    )
    secret_key_file: Path | None = Field(
        default=None,
        description="File with one key a line (`id:base64 of 32 bytes`), newest first: it seals connection strings at rest.",
    )
    secret_keys: SecretStr | None = Field(
        default=None, description="The same keys, separated by commas, where a file is not at hand; the file wins."
    )
    data_dir: Path = Field(default=Path(".headgate"), description="Where backups, logs and the embedded servers' data are kept.")
    backup_dir: Path | None = Field(default=None, description="Where backups go; default: `backups` in the data directory.")
    backup_url: str | None = Field(
        default=None,
        description="`s3://bucket/prefix`: backups go to object storage; dumps are still written to the directory first.",
    )
    s3_endpoint: str | None = Field(default=None, description="Address of the object storage; default: Amazon's own.")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_access_key_id: str | None = Field(
        default=None, description="Key of the object storage; default: the credentials that the platform gives to the process."
    )
    s3_secret_access_key: SecretStr | None = Field(
        default=None, description="Its secret; better as a file `headgate_s3_secret_access_key` in the secrets directory."
    )
    backup_recipients: str = Field(
        default="",
        description="age public keys (`age1...`), by commas: backups are encrypted to all of them. Empty: not encrypted.",
    )
    backup_identity_file: Path | None = Field(
        default=None, description="File of age identities, one a line: reads encrypted backups, to prove and to restore them."
    )
    proof_url: SecretStr | None = Field(
        default=None, description="A server on which test restores are done; default: the server that the backup is of."
    )
    public_url: str = Field(
        default="http://localhost:8000",
        description="The address people use: it goes into links and decides if cookies are Secure.",
    )
    ledger_schema: str = Field(default="headgate", description="The schema on targets that holds the ledger and the checkpoints.")
    shadow_url: SecretStr | None = Field(
        default=None,
        description="A server on which rehearsals may create databases; the embedded stack sets it. None: no rehearsals.",
    )
    client_bin_dir: Path | None = Field(
        default=None, description="Where pg_dump and pg_restore are; default: the embedded ones, then PATH."
    )
    lease_seconds: float = Field(default=15.0, description="How long a worker may be silent before its run is taken over.")
    slice_seconds: float = Field(default=10.0, description="How long a worker drives one run before it lets others have a turn.")
    sweep_seconds: float = Field(default=2.0, description="How often runs without a driver are looked for.")
    session_idle_minutes: int = Field(default=480, description="A sign-in ends after so long without a request.")
    session_hours: int = Field(default=168, description="A sign-in ends after so long in any case.")
    sign_in_attempts_per_minute: int = Field(default=10, description="Per account, ten times as many per address; more get 429.")
    upload_bytes: int = Field(default=50 * 1024 * 1024, description="The largest upload: migrations are text, more is a mistake.")
    worker_concurrency: int = Field(default=2, description="Runs and jobs that one worker drives at once.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR; secrets appear at none of them.")

    @property
    def backups(self) -> Path:
        """The directory that backups go to."""
        return self.backup_dir or self.data_dir / "backups"

    @property
    def is_secure(self) -> bool:
        """True where people reach Headgate by https, so that cookies can be Secure."""
        return self.public_url.startswith("https://")


@lru_cache
def get_settings() -> Settings:
    """The process's settings."""
    return Settings()


def settings_table() -> str:
    """The table in docs/operating.md: variable, default, what it is for."""
    lines = ["| variable | default | what it is for |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        shown = "" if default is None else f"`{default}`"
        lines.append(f"| `HEADGATE_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)
