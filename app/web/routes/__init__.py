"""One module per screen; the order matters only where one path could be taken for another."""

from fastapi import APIRouter

from app.web.routes import health, home, targets

ROUTERS: tuple[APIRouter, ...] = (health.router, home.router, targets.router)
