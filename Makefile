# Thin names for those who type make; everything is in ./headgate.
.PHONY: demo test lint bench chaos lock
demo test lint bench chaos:
	@./headgate $@

# New versions: the lock of development holds the very versions of production. Needs uv.
COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet
lock:
	$(COMPILE) --upgrade --extra embedded -o requirements.lock
	$(COMPILE) --upgrade --extra embedded --extra dev -c requirements.lock -o requirements-dev.lock
