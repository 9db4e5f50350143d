"""The ground truth is the truth: regressions of returns on the true factors find the loadings that made them."""

from __future__ import annotations

import numpy as np
import polars as pl
import psycopg
import pytest

from data_platform.settings import Settings
from data_platform.sources.demo.compustat.funda import relation_frame as funda_frame
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.demo.marker import truth_folder
from data_platform.sources.demo.truth import FACTORS
from data_platform.sources.demo.world import World, world_of


@pytest.fixture(scope="module")
def estimates(
    source_settings: Settings, demo: DemoSummary, module_superuser: psycopg.Connection
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimated and true loadings and the estimates' standard errors, a row per security with a year of returns."""
    assert demo.marker.rows
    folder = truth_folder(source_settings)
    factors = pl.read_parquet(folder / "factors_daily.parquet")
    loadings = pl.read_parquet(folder / "loadings.parquet")
    rows = module_superuser.execute(
        "SELECT permno, dlycaldt, dlyret::float8 FROM crsp.dsf_v2 WHERE dlyret IS NOT NULL AND dlyretdurflg = 'D1'"
        " AND dlydelflg = 'N'"
    ).fetchall()
    returns = pl.DataFrame(rows, schema=["permno", "date", "ret"], orient="row").join(factors, on="date")
    assert returns["date"].n_unique() == factors.height
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for (permno,), part in returns.group_by("permno", maintain_order=True):
        if part.height < 250:
            continue
        regressors = np.column_stack([np.ones(part.height), part.select(FACTORS).to_numpy()])
        target = part["ret"].to_numpy()
        fit, residual, _, _ = np.linalg.lstsq(regressors, target, rcond=None)
        variance = residual[0] / (part.height - regressors.shape[1])
        errors = np.sqrt(np.diag(np.linalg.inv(regressors.T @ regressors)) * variance)
        found.append((fit[1:], loadings.filter(permno=permno).select(FACTORS).to_numpy()[0], errors[1:]))
    estimated, true, errors = (np.array(values) for values in zip(*found, strict=True))
    return estimated, true, errors


def test_each_loading_is_found_within_its_error(estimates: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    estimated, true, errors = estimates
    scores = (estimated - true) / errors

    assert len(true) > 25
    assert (abs(scores) < 3).mean() > 0.98
    assert 0.8 < scores.std() < 1.2


@pytest.mark.parametrize("factor", FACTORS)
def test_estimates_lie_along_the_truth(estimates: tuple[np.ndarray, np.ndarray, np.ndarray], factor: str) -> None:
    estimated, true, errors = (values[:, FACTORS.index(factor)] for values in estimates)
    slope = np.cov(estimated, true)[0, 1] / true.var(ddof=1)

    assert abs(slope - 1) < 4 * np.sqrt((errors**2).mean() / ((len(true) - 1) * true.var(ddof=1)))
    assert abs((estimated - true).mean()) < 4 * np.sqrt((errors**2).mean() / len(true))


def test_the_truth_is_not_in_the_database(demo: DemoSummary, superuser: psycopg.Connection) -> None:
    assert demo.marker.rows
    names = superuser.execute(
        "SELECT DISTINCT column_name FROM information_schema.columns WHERE table_schema IN ('crsp', 'comp', 'ff')"
    ).fetchall()

    assert len(names) > 200
    assert not {name for (name,) in names} & set(FACTORS)


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(4, (2022, 2023), 300)


def test_books_follow_the_characteristics(world: World) -> None:
    books = funda_frame(world.market, world.statements).filter(datafmt="STD", indfmt="INDL")
    firms, loadings = world.statements.firms, world.market.universe.loadings
    by_gvkey = pl.DataFrame({"gvkey": firms.gvkey, **dict(zip(FACTORS, loadings[firms.primary].T, strict=True))})
    industrial = pl.col("act").is_not_null()
    found = (
        books.filter(industrial)
        .join(by_gvkey, on="gvkey")
        .with_columns(growth=pl.col("at") / pl.col("at").shift(1).over("gvkey", order_by="datadate") - 1)
    )
    correlations = found.drop_nulls("growth").select(
        pl.corr((pl.col("ceq") / pl.col("mkvalt")).log(), "value").alias("value"),
        pl.corr(pl.col("oibdp") / pl.col("at"), "profitability").alias("profitability"),
        pl.corr("growth", "investment").alias("investment"),
        pl.corr(pl.col("mkvalt").log(), "size").alias("size"),
    )

    assert correlations["value"].item() > 0.5
    assert correlations["profitability"].item() > 0.5
    assert correlations["investment"].item() < -0.5
    assert correlations["size"].item() < -0.5
