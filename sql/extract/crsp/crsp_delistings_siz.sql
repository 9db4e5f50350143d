-- CRSP delistings, SIZ format, in the columns of crsp_delistings. Codes from 100 to 199 say that the security is still
-- listed; CIZ has no row for those. A return below -1 is a code. A negative price is a bid/ask midpoint.
SELECT permno,
       dlstdt                                                  AS delistingdt,
       NULL::numeric                                           AS deldtprc,
       NULL::text                                              AS deldtprcflg,
       NULL::text                                              AS delactiontype,
       NULL::text                                              AS delstatustype,
       NULL::text                                              AS delreasontype,
       NULL::text                                              AS delpaymenttype,
       dlstcd,
       nwperm                                                  AS delpermno,
       nwcomp                                                  AS delpermco,
       CASE WHEN dlret >= -1 THEN dlret END                    AS delret,
       CASE WHEN dlret < -1 THEN dlret::integer::text END      AS delretmisstype,
       nextdt                                                  AS delnextdt,
       abs(nullif(dlprc, 0))                                   AS delnextprc,
       NULL::text                                              AS delnextprcflg,
       dlpdt                                                   AS delamtdt,
       dlamt                                                   AS deldivamt,
       NULL::text                                              AS deldistype,
       NULL::date                                              AS deldlydt
FROM crsp.dsedelist
WHERE dlstcd >= 200
