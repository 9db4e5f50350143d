"""The loaded relations agree with each other: one market, told by CRSP twice, by Compustat and by the data library."""

from __future__ import annotations

import psycopg
import pytest

from data_platform.settings import Settings
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.demo.marker import library_folder
from data_platform.sources.ken_french.parsing import decode, parse_tables
from data_platform.sources.ken_french.unpacking import unpack

STD = "f.indfmt = 'INDL' AND f.datafmt = 'STD' AND f.consol = 'C' AND f.popsrc = 'D'"
VIOLATIONS = {
    "a month's return is compounded from its days": """SELECT 1 FROM crsp.msf_v2 m JOIN (
            SELECT permno, yyyymmdd / 100 AS yyyymm, exp(sum(ln(1 + dlyret))) - 1 AS ret, count(dlyret) AS days,
            sum(dlyvol) AS vol, max(dlycaldt) AS last FROM crsp.dsf_v2 GROUP BY 1, 2) d USING (permno, yyyymm)
        WHERE abs(d.ret - m.mthret) > 1e-6 OR (d.days = 0) <> (m.mthret IS NULL)
        OR m.mthvol IS DISTINCT FROM d.vol OR m.mthprcdt <> d.last""",
    "months are dated by the market's last session": """SELECT 1 FROM crsp.msf_v2 JOIN (SELECT yyyymmdd / 100 AS yyyymm,
            max(dlycaldt) AS last FROM crsp.dsf_v2 GROUP BY 1) d USING (yyyymm) WHERE mthcaldt <> last""",
    "a month follows the one before": """SELECT 1 FROM (SELECT mthprevprc, mthprevdt, lag(mthprc) OVER w AS before,
            lag(mthprcdt) OVER w AS day FROM crsp.msf_v2 WINDOW w AS (PARTITION BY permno ORDER BY mthcaldt)) m
        WHERE day IS NOT NULL AND (mthprevprc IS DISTINCT FROM before OR mthprevdt <> day)""",
    "every month of days is a month": """SELECT 1 FROM (SELECT DISTINCT permno, yyyymmdd / 100 AS yyyymm
        FROM crsp.dsf_v2) d FULL JOIN crsp.msf_v2 m USING (permno, yyyymm) WHERE m.mthcaldt IS NULL OR d IS NULL""",
    "distributions are those of the days": """SELECT 1 FROM (SELECT permno, disexdt AS dlycaldt,
            sum(disdivamt) FILTER (WHERE disordinaryflg = 'Y') AS ordinary,
            sum(disdivamt) FILTER (WHERE disordinaryflg = 'N') AS special, sum(disfacpr) AS factor
            FROM crsp.stkdistributions GROUP BY 1, 2) s FULL JOIN (SELECT * FROM crsp.dsf_v2 WHERE dlyorddivamt > 0
            OR dlynonorddivamt > 0 OR dlyfacprc <> 1) d USING (permno, dlycaldt)
        WHERE coalesce(ordinary, 0) IS DISTINCT FROM dlyorddivamt
        OR coalesce(special, 0) IS DISTINCT FROM dlynonorddivamt OR 1 + factor IS DISTINCT FROM dlyfacprc""",
    "a day has the names of its span": """SELECT 1 FROM crsp.dsf_v2 d LEFT JOIN crsp.stksecurityinfohist h
        ON h.permno = d.permno AND d.dlycaldt BETWEEN h.secinfostartdt AND h.secinfoenddt
        WHERE h.permno IS NULL OR (d.ticker, d.cusip, d.primaryexch, d.conditionaltype, d.tradingstatusflg, d.permco,
        d.siccd, d.hdrcusip) IS DISTINCT FROM (h.ticker, h.cusip, h.primaryexch, h.conditionaltype,
        h.tradingstatusflg, h.permco, h.siccd, h.hdrcusip)""",
    "spans of a security adjoin": """SELECT 1 FROM (SELECT secinfostartdt, lag(secinfoenddt) OVER (PARTITION BY permno
        ORDER BY secinfostartdt) AS before FROM crsp.stksecurityinfohist) h WHERE secinfostartdt <> before + 1""",
    "delistings are the days' delisting returns": """SELECT 1 FROM crsp.stkdelists e FULL JOIN
        (SELECT * FROM crsp.dsf_v2 WHERE dlydelflg = 'Y') d ON d.permno = e.permno AND d.dlycaldt = e.deldlydt
        WHERE e.permno IS NULL OR d.permno IS NULL OR e.delret IS DISTINCT FROM d.dlyret
        OR d.dlyprevdt <> e.delistingdt OR d.dlyprevprc <> e.deldtprc""",
    "the older format has the same trading days": """SELECT 1 FROM (SELECT * FROM crsp.dsf_v2 WHERE dlydelflg = 'N'
        AND dlycaldt <= '2024-12-31') c FULL JOIN crsp.dsf s ON s.permno = c.permno AND s.date = c.dlycaldt
        WHERE c.permno IS NULL OR s.permno IS NULL OR abs(s.prc) <> coalesce(c.dlyprc, 0)
        OR (s.prc < 0) <> (c.dlyprcflg = 'BA') OR s.vol IS DISTINCT FROM c.dlyvol OR s.shrout <> c.shrout
        OR CASE WHEN s.ret > -1 THEN s.ret END IS DISTINCT FROM c.dlyret OR s.cusip <> c.hdrcusip
        OR s.cfacpr <> c.dlycumfacpr OR s.bidlo IS DISTINCT FROM c.dlylow OR s.openprc IS DISTINCT FROM c.dlyopen""",
    "the older format's delistings are these": """SELECT 1 FROM crsp.dsedelist s LEFT JOIN crsp.stkdelists c
        USING (permno) WHERE (s.dlstcd = 100) <> (c.permno IS NULL) OR s.dlret IS DISTINCT FROM c.delret
        OR (s.dlstcd <> 100 AND s.dlstdt <> c.delistingdt)""",
    "with the delisting return its months are the newer ones": """SELECT 1 FROM crsp.msf s JOIN crsp.msf_v2 c
        ON c.permno = s.permno AND c.mthcaldt = s.date JOIN crsp.dsedelist d ON d.permno = s.permno
        WHERE s.ret > -1 AND abs((1 + s.ret) * (1 + CASE WHEN date_trunc('month', d.dlpdt) = date_trunc('month', s.date)
        THEN coalesce(d.dlret, 0) ELSE 0 END) - 1 - c.mthret) > 3e-6""",
    "its monthly volume is in hundreds": """SELECT 1 FROM crsp.msf s JOIN crsp.msf_v2 c ON c.permno = s.permno
        AND c.mthcaldt = s.date WHERE abs(s.vol * 100 - c.mthvol) > 50""",
    "a name of the older format is one of the newer": """SELECT 1 FROM crsp.dsenames n LEFT JOIN
        crsp.stksecurityinfohist h ON h.permno = n.permno AND h.secinfostartdt = n.namedt WHERE
        (n.ticker, n.ncusip, n.comnam, n.primexch) IS DISTINCT FROM (h.ticker, h.cusip, h.issuernm, h.primaryexch)""",
    "every company has one gvkey with a link": """SELECT 1 FROM (SELECT DISTINCT permco FROM crsp.dsf_v2) c LEFT JOIN
        (SELECT lpermco, count(DISTINCT l.gvkey) AS many FROM crsp.ccmxpf_lnkhist l JOIN comp.company USING (gvkey)
        WHERE linktype <> 'LD' AND lpermno IS NOT NULL GROUP BY 1) l ON l.lpermco = c.permco
        WHERE many IS DISTINCT FROM 1""",
    "good links of a permno do not overlap": """SELECT 1 FROM crsp.ccmxpf_lnkhist a JOIN crsp.ccmxpf_lnkhist b
        USING (lpermno) WHERE a.ctid <> b.ctid AND 'LD' NOT IN (a.linktype, b.linktype)
        AND a.linkdt <= coalesce(b.linkenddt, '9999-12-31') AND b.linkdt <= coalesce(a.linkenddt, '9999-12-31')""",
    "a balance sheet adds up": "SELECT 1 FROM comp.funda WHERE at <> lt + seq + mib OR seq <> ceq + pstk",
    "a quarter's balance sheet adds up": "SELECT 1 FROM comp.fundq WHERE atq <> ltq + seqq + mibq",
    "a year is its four quarters": f"""SELECT 1 FROM comp.funda f JOIN (SELECT gvkey, fyearq AS fyear, fyr, count(*),
            sum(saleq) AS sale, sum(niq) AS ni, sum(xsgaq) AS xsga, sum(dpq) AS dp, sum(oiadpq) AS oiadp,
            max(capxy) FILTER (WHERE fqtr = 4) AS capx FROM comp.fundq WHERE indfmt = 'INDL' GROUP BY 1, 2, 3) q
        USING (gvkey, fyear, fyr) WHERE {STD} AND q.count = 4 AND (f.sale, f.ni, f.xsga, f.dp, f.oiadp, f.capx)
        IS DISTINCT FROM (q.sale, q.ni, q.xsga, q.dp, q.oiadp, q.capx)""",
    "a year ends with its fourth quarter": f"""SELECT 1 FROM comp.funda f LEFT JOIN comp.fundq q ON q.gvkey = f.gvkey
        AND q.datadate = f.datadate AND q.indfmt = f.indfmt WHERE {STD} AND (q.fqtr <> 4 OR q.gvkey IS NULL
        OR (f.at, f.ceq, f.mkvalt, f.fdate) IS DISTINCT FROM (q.atq, q.ceqq, q.mkvaltq, q.fdateq))""",
    "the market value is that of CRSP": f"""SELECT 1 FROM comp.funda f JOIN comp.company USING (gvkey) JOIN (
            SELECT l.gvkey, d.dlycaldt, sum(d.dlycap) / 1000 AS cap, bool_and(d.dlycap IS NOT NULL) AS known
            FROM crsp.dsf_v2 d JOIN crsp.ccmxpf_lnkhist l ON l.lpermno = d.permno AND l.linktype <> 'LD'
            AND d.dlycaldt BETWEEN l.linkdt AND coalesce(l.linkenddt, d.dlycaldt) GROUP BY 1, 2) m
        ON m.gvkey = f.gvkey AND m.dlycaldt = f.datadate WHERE {STD} AND known AND abs(m.cap - f.mkvalt) > 0.001""",
    "filings come after what they report": """SELECT 1 FROM comp.fundq
        LEFT JOIN comp.co_filedate USING (gvkey, datadate)
        WHERE filedate IS NULL OR filedate <= datadate OR filedate < rdq OR filedate <> fdateq""",
    "statements are keyed as Compustat keys them": """SELECT 1 FROM comp.funda
        GROUP BY gvkey, datadate, indfmt, datafmt, popsrc, consol HAVING count(*) > 1""",
    "every issue belongs to a company": """SELECT 1 FROM comp.security s FULL JOIN comp.company c USING (gvkey)
        WHERE s.iid IS NULL OR c.conm IS NULL OR (s.secstat = 'A' AND c.costat = 'I')""",
}


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_no_row_breaks_the_rule(demo: DemoSummary, superuser: psycopg.Connection, rule: str) -> None:
    assert demo.marker.rows
    assert superuser.execute(VIOLATIONS[rule] + " LIMIT 5").fetchall() == []


@pytest.mark.parametrize(
    "join",
    [
        f"comp.funda f JOIN comp.fundq q ON q.gvkey = f.gvkey AND q.datadate = f.datadate WHERE {STD}",
        "crsp.msf_v2 WHERE mthdelflg = 'Y' AND mthret IS NOT NULL",
        "crsp.dsf_v2 WHERE dlynonorddivamt > 0",
        f"comp.funda f JOIN crsp.dsf_v2 d ON d.dlycaldt = f.datadate WHERE {STD}",
    ],
)
def test_the_rules_are_about_something(demo: DemoSummary, superuser: psycopg.Connection, join: str) -> None:
    assert demo.marker.rows
    assert superuser.execute(f"SELECT 1 FROM {join} LIMIT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("flag", "item"),
    [
        *((name.lower(), name) for name in ("PrimaryExch", "ConditionalType", "TradingStatusFlg", "ExchangeTier")),
        *((name.lower(), name) for name in ("ShareType", "SecurityType", "SecuritySubType", "IssuerType", "USIncFlg")),
        *(
            (name.lower(), name)
            for name in ("DlyPrcFlg", "DlyRetMissFlg", "DlyRetDurFlg", "DlyDistRetFlg", "DlyDelFlg")
        ),
    ],
)
def test_every_flag_of_a_day_is_in_the_dictionary(
    demo: DemoSummary, superuser: psycopg.Connection, flag: str, item: str
) -> None:
    assert demo.marker.rows
    unknown = superuser.execute(
        f"SELECT DISTINCT {flag} FROM crsp.dsf_v2 WHERE {flag} IS NOT NULL AND {flag} NOT IN (SELECT flagvalue"
        " FROM crsp.metaflaginfo JOIN crsp.metaiteminfo ON itemflagtype = flagtype WHERE itemname = %s)",
        (item,),
    ).fetchall()
    assert unknown == []
    assert superuser.execute("SELECT itemdesc FROM crsp.metaiteminfo WHERE itemname = %s", (item,)).fetchone()


@pytest.mark.parametrize(
    "flag",
    ["delactiontype", "delstatustype", "delreasontype", "delpaymenttype", "securityhdrflg", "securityactiveflg"],
)
def test_every_flag_of_the_history_is_in_the_dictionary(
    demo: DemoSummary, superuser: psycopg.Connection, flag: str
) -> None:
    assert demo.marker.rows
    known, used = (
        {value for (value,) in superuser.execute(query).fetchall()}
        for query in (
            "SELECT flagvalue FROM crsp.metaflaginfo JOIN crsp.metaiteminfo ON itemflagtype = flagtype"
            f" WHERE lower(itemname) = '{flag}'",
            f"SELECT DISTINCT {flag} FROM crsp.stksecurityinfohist WHERE {flag} IS NOT NULL",
        )
    )
    assert used
    assert used <= known


@pytest.mark.parametrize(
    ("relation", "stem", "columns"),
    [
        ("factors_daily", "F-F_Research_Data_Factors_daily", "mktrf smb hml rf"),
        ("factors_daily", "F-F_Momentum_Factor_daily", "umd"),
        ("factors_monthly", "F-F_Research_Data_Factors", "mktrf smb hml rf"),
        ("factors_monthly", "F-F_Momentum_Factor", "umd"),
        ("fivefactors_daily", "F-F_Research_Data_5_Factors_2x3_daily", "mktrf smb hml rmw cma rf"),
        ("fivefactors_monthly", "F-F_Research_Data_5_Factors_2x3", "mktrf smb hml rmw cma rf"),
    ],
)
def test_factors_are_the_librarys_percent_as_decimals(
    source_settings: Settings,
    demo: DemoSummary,
    superuser: psycopg.Connection,
    relation: str,
    stem: str,
    columns: str,
) -> None:
    assert demo.marker.rows
    name = f"{stem}_CSV.zip"
    table = parse_tables(decode(unpack(name, (library_folder(source_settings) / name).read_bytes(), "test").data))[0]
    rows = superuser.execute(f"SELECT date, {columns.replace(' ', ', ')} FROM ff.{relation} ORDER BY date").fetchall()

    assert len(rows) == len(table.keys) > 20
    for row, day, *percents in zip(rows, table.keys, *table.columns, strict=True):
        assert (row[0].year, row[0].month) == (day.year, day.month)
        assert [None if value is None else float(value) for value in row[1:]] == [
            None if percent is None else round(percent / 100, 7) for percent in percents
        ]


def test_months_of_factors_are_dated_as_wrds_does(demo: DemoSummary, superuser: psycopg.Connection) -> None:
    assert demo.marker.rows
    for relation in ("factors_monthly", "fivefactors_monthly"):
        wrong = superuser.execute(
            f"SELECT 1 FROM ff.{relation} WHERE date <> make_date(year, month, 1) OR dateff <> (SELECT max(dlycaldt)"
            " FROM crsp.dsf_v2 WHERE date_trunc('month', dlycaldt) = date)"
        ).fetchall()
        assert wrong == []
