"""The HTTP interface, mounted in the webserver at `/api/v1`: the services, spoken in JSON, Arrow and status codes.

What belongs here: a router for each subject (`queries`, `exports`, `datasets`, `quality`, `syncs`), each route of which
asks one method of one service; what is asked (`asked`) and how it is answered (`rows`, `answers`); the threads that the
services run in (`desk`); and how a sync that is ordered here becomes a run in the queue (`launching`).

What does not: rules. Who asks was told by the webserver's gate, what they may is decided by the services in
`governance`, and how an error travels stands in `data_platform.client.wire`.
"""
