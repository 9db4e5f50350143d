"""Each trap that the demo's charter lists can be found in the loaded tables, by a query that a user could write."""

from __future__ import annotations

import psycopg
import pytest

from data_platform.sources.demo.load import DemoSummary

TRAPS = {
    "a restated year": """SELECT DISTINCT r.gvkey FROM comp.funda r JOIN comp.funda f USING (gvkey, datadate, indfmt)
        WHERE r.datafmt = 'SUMM_STD' AND f.datafmt = 'STD' AND r.ni <> f.ni AND r.at = f.at""",
    "two formats": """SELECT gvkey FROM comp.funda WHERE datafmt = 'STD' AND sich IN (6021, 6311)
        GROUP BY gvkey, datadate HAVING array_agg(indfmt ORDER BY indfmt) = '{FS,INDL}'""",
    "two formats of a quarter": """SELECT gvkey FROM comp.fundq
        GROUP BY gvkey, datadate HAVING array_agg(indfmt ORDER BY indfmt) = '{FS,INDL}'""",
    "a changed fiscal year": """SELECT gvkey FROM comp.fundq WHERE indfmt = 'INDL' GROUP BY gvkey, fyearq, fqtr
        HAVING count(DISTINCT datadate) = 2 AND count(DISTINCT fyr) = 2""",
    "leading zeros": "SELECT gvkey FROM comp.company WHERE gvkey LIKE '000%'",
    "a link that moves": """SELECT a.gvkey FROM crsp.ccmxpf_lnkhist a JOIN crsp.ccmxpf_lnkhist b USING (gvkey)
        WHERE a.lpermno <> b.lpermno AND a.lpermco = b.lpermco AND b.linkdt = a.linkenddt + 1""",
    "a primary marker that changes": """SELECT a.gvkey FROM crsp.ccmxpf_lnkhist a
        JOIN crsp.ccmxpf_lnkhist b USING (gvkey, lpermno)
        WHERE a.linkprim = 'P' AND b.linkprim = 'C' AND b.linkdt = a.linkenddt + 1""",
    "a duplicate link": """SELECT d.gvkey FROM crsp.ccmxpf_lnkhist d JOIN crsp.ccmxpf_lnkhist l USING (lpermno)
        WHERE d.linktype = 'LD' AND l.linktype <> 'LD' AND d.gvkey <> l.gvkey AND d.linkdt = l.linkdt""",
    "no link yet": """SELECT n.gvkey FROM crsp.ccmxpf_lnkhist n JOIN crsp.ccmxpf_lnkhist l USING (gvkey)
        WHERE n.linktype IN ('NR', 'NU') AND n.lpermno IS NULL AND l.lpermno IS NOT NULL
        AND l.linkdt = n.linkenddt + 1""",
    "two share classes": """SELECT gvkey FROM crsp.ccmxpf_lnkhist l WHERE linkenddt IS NULL
        GROUP BY gvkey, lpermco HAVING count(DISTINCT lpermno) = 2 AND array_agg(liid ORDER BY liid) = '{01,02}'
        AND bool_or(linkprim = 'J' AND liid = '02')""",
    "two classes at Compustat": """SELECT gvkey FROM comp.security WHERE secstat = 'A' GROUP BY gvkey
        HAVING array_agg(iid ORDER BY iid) = '{01,02}'""",
    "two permnos of a permco on a day": """SELECT DISTINCT permco FROM crsp.dsf_v2 GROUP BY permco, dlycaldt
        HAVING count(*) = 2""",
    "a reused ticker": """SELECT ticker FROM crsp.stksecurityinfohist a JOIN crsp.stksecurityinfohist b USING (ticker)
        WHERE a.permno <> b.permno AND a.securityactiveflg = 'N' AND b.secinfostartdt > a.secinfoenddt""",
    "a split": """SELECT permno FROM crsp.stkdistributions s JOIN crsp.dsf_v2 d USING (permno)
        WHERE d.dlycaldt = s.disexdt AND s.distype = 'FRS' AND s.dispaymenttype = 'SS'
        AND s.disdetailtype = 'STKSPL' AND s.disdivamt IS NULL AND d.dlyfacprc = 2""",
    "two distributions on a day": """SELECT permno FROM crsp.stkdistributions GROUP BY permno, disexdt
        HAVING array_agg(disseqnbr ORDER BY disseqnbr) = '{1,2}' AND count(DISTINCT distype) = 2""",
    "no report date": "SELECT gvkey FROM comp.fundq WHERE rdq IS NULL",
    "a late report": "SELECT gvkey FROM comp.fundq WHERE rdq > datadate + 90",
    "a filing later still": """SELECT gvkey FROM comp.fundq JOIN comp.co_filedate USING (gvkey, datadate)
        WHERE (rdq IS NULL OR rdq > datadate + 90) AND filedate > datadate + 95""",
    "a delisting day without ticker": """SELECT permno FROM crsp.dsf_v2 WHERE dlydelflg = 'Y' AND ticker IS NULL
        AND tradingstatusflg = 'D' AND dlyvol IS NULL AND dlyret IS NOT NULL""",
    "a delisting return nobody knows": """SELECT permno FROM crsp.stkdelists c JOIN crsp.dsedelist s USING (permno)
        WHERE c.delret IS NULL AND c.delretmisstype IS NOT NULL AND s.dlret IS NULL
        AND (s.dlstcd = 500 OR s.dlstcd BETWEEN 520 AND 584)""",
    "a negative price": "SELECT permno FROM crsp.dsf WHERE prc < 0",
    "a price of zero": "SELECT permno FROM crsp.dsf WHERE prc = 0",
    "an active security among delistings": "SELECT permno FROM crsp.dsedelist WHERE dlstcd = 100",
    "a name that changed": """SELECT permno FROM crsp.stksecurityinfohist GROUP BY permno
        HAVING count(DISTINCT issuernm) > 1 AND count(DISTINCT cusip) > 1""",
    "an exchange that changed": """SELECT permno FROM crsp.stksecurityinfohist GROUP BY permno
        HAVING count(DISTINCT primaryexch) > 1""",
    "a security traded when issued": "SELECT permno FROM crsp.dsenames WHERE exchcd > 30 AND secstat = 'W'",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_trap_is_there_and_is_no_rule(demo: DemoSummary, superuser: psycopg.Connection, trap: str) -> None:
    (many,) = superuser.execute("SELECT count(*) FROM crsp.dsf_v2").fetchone() or (0,)
    found = superuser.execute(TRAPS[trap]).fetchall()

    assert many == demo.marker.rows
    assert found
    assert len(set(found)) <= demo.marker.securities


@pytest.mark.parametrize("code", [-44, -55, -66, -77, -88, -99, None])
def test_every_code_of_a_missing_return_occurs(
    demo: DemoSummary, superuser: psycopg.Connection, code: int | None
) -> None:
    assert demo.marker.rows
    for column in ("ret", "retx"):
        found = superuser.execute(
            f"SELECT count(*) FROM crsp.dsf WHERE {column} IS NOT DISTINCT FROM %s::numeric", (code,)
        ).fetchone()
        assert found is not None
        assert 0 < found[0] < demo.marker.rows // 50


@pytest.mark.parametrize("kind", ["LC", "LU", "LS", "LD", "LN", "NR", "NU"])
def test_every_type_of_link_occurs(demo: DemoSummary, superuser: psycopg.Connection, kind: str) -> None:
    assert demo.marker.rows
    found = superuser.execute(
        "SELECT count(*), bool_and((lpermno IS NULL) = (linktype IN ('NR', 'NU'))) FROM crsp.ccmxpf_lnkhist"
        " WHERE linktype = %s",
        (kind,),
    ).fetchone()
    assert found is not None
    assert found[0] > 0
    assert found[1] is True
