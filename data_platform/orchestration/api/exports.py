"""Exports: written, looked after, downloaded."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["exports"])
