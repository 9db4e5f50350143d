"""The columns of the synthetic WRDS, written down independently of the modules that declare them."""

from __future__ import annotations

WRDS_COLUMNS = {
    "crsp.dsf_v2": """permno hdrcusip permco siccd nasdissuno yyyymmdd sharetype securitytype securitysubtype usincflg
        issuertype primaryexch conditionaltype tradingstatusflg dlycaldt dlydelflg dlyprc dlyprcflg dlycap dlycapflg
        dlyprevprc dlyprevprcflg dlyprevdt dlyprevcap dlyprevcapflg dlyret dlyretx dlyreti dlyretmissflg dlyretdurflg
        dlyorddivamt dlynonorddivamt dlyfacprc dlydistretflg dlyvol dlyclose dlylow dlyhigh dlybid dlyask dlyopen
        dlynumtrd dlymmcnt dlyprcvol dlycumfacpr dlycumfacshr cusip ticker exchangetier shrout""",
    "crsp.msf_v2": """permno hdrcusip permco siccd nasdissuno yyyymm sharetype securitytype securitysubtype usincflg
        issuertype primaryexch conditionaltype tradingstatusflg mthcaldt mthcompflg mthcompsubflg mthprc mthprcflg
        mthprcdt mthdtflg mthdelflg mthcap mthprevprc mthprevprcflg mthprevdt mthprevdtflg mthprevcap mthret mthretx
        mthretflg mthdiscnt mthvol mthvolflg mthprcvol mthfacshrflg mthprcvolmisscnt mthcumfacpr mthcumfacshr cusip
        ticker issuernm exchangetier shrout mthfloatshrqty""",
    "crsp.stksecurityinfohist": """permno secinfostartdt secinfoenddt securitybegdt securityenddt securityhdrflg
        hdrcusip hdrcusip9 cusip cusip9 primaryexch conditionaltype exchangetier tradingstatusflg securitynm
        shareclass usincflg issuertype securitytype securitysubtype sharetype securityactiveflg delactiontype
        delstatustype delreasontype delpaymenttype ticker tradingsymbol permco siccd naics icbindustry uesindustry
        nasdcompno nasdissuno issuernm""",
    "crsp.stkdelists": """permno delistingdt deldtprc deldtprcflg delactiontype delstatustype delreasontype
        delpaymenttype delpermno delpermco delret delretmisstype delnextdt delnextprc delnextprcflg delamtdt deldivamt
        deldistype deldlydt""",
    "crsp.stkdistributions": """permno disexdt disseqnbr disordinaryflg distype disfreqtype dispaymenttype
        disdetailtype distaxtype disorigcurtype disdivamt disfacpr disfacshr disdeclaredt disrecorddt dispaydt
        dispermno dispermco disamountsourcetype""",
    "crsp.metaflaginfo": "flagtype flagvalue flagtypedesc flagdesc flagdef flagcoverageflg flagkey",
    "crsp.metaiteminfo": """itemname itemdesc itemdef itemcategory itemclass itemmaxcharlen itemnullflg itemmissingflg
        itemhasdataflg itemflagtype itemactiveflg itemfilecnt itemkey""",
    "crsp.ccmxpf_lnkhist": "gvkey linkprim liid linktype lpermno lpermco linkdt linkenddt",
    "crsp.dsf": """cusip permno permco issuno hexcd hsiccd date bidlo askhi prc vol ret bid ask shrout cfacpr cfacshr
        openprc numtrd retx""",
    "crsp.msf": """cusip permno permco issuno hexcd hsiccd date bidlo askhi prc vol ret bid ask shrout cfacpr cfacshr
        altprc spread altprcdt retx""",
    "crsp.dsenames": """permno namedt nameendt shrcd exchcd siccd ncusip ticker comnam shrcls tsymbol naics primexch
        trdstat secstat permco""",
    "crsp.dsedelist": "permno dlstdt dlstcd nwperm nwcomp nextdt dlamt dlretx dlprc dlpdt dlret permco",
    "comp.funda": """gvkey datadate fyear indfmt consol popsrc datafmt tic cusip conm curcd fyr at lt act lct che rect
        invt ppent ppegt intan dlc dltt seq ceq pstk pstkl pstkrv txditc txdb itcb re mib sale revt cogs gp xsga xrd
        xint pi txt ib ni dp oibdp oiadp ebit ebitda capx oancf dvc dvp sstk prstkc csho ajex prcc_f prcc_c mkvalt emp
        sich exchg costat fic pdate fdate""",
    "comp.fundq": """gvkey datadate fyearq fqtr fyr indfmt consol popsrc datafmt tic cusip conm curcdq datacqtr
        datafqtr rdq atq ltq actq lctq cheq rectq invtq ppentq intanq dlcq dlttq seqq ceqq pstkq txditcq req mibq
        saleq revtq cogsq xsgaq xrdq xintq piq txtq ibq niq dpq oibdpq oiadpq epspxq epsfxq cshoq ajexq prccq mkvaltq
        capxy oancfy exchg costat fic pdateq fdateq""",
    "comp.company": """gvkey conm conml cik costat dldte dlrsn fic loc state incorp sic naics gsector ggroup gind
        gsubind idbflag ipodate fyrc priusa prirow prican stko""",
    "comp.security": """gvkey iid tic cusip isin sedol ibtic dsci excntry exchg epf secstat dldtei dlrsni tpci""",
    "comp.co_filedate": "gvkey datadate consol popsrc srctype filedate",
    "ff.factors_daily": "date mktrf smb hml rf umd",
    "ff.factors_monthly": "date mktrf smb hml rf year month umd dateff",
    "ff.fivefactors_daily": "date mktrf smb hml rmw cma rf umd",
    "ff.fivefactors_monthly": "date mktrf smb hml rmw cma rf year month umd dateff",
}
