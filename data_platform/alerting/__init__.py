"""Telling people of alerts: by e-mail, Slack, SMS and whatever else has an address that apprise knows.

Belongs here: the channels of the environment (`channels`), what a message says (`message`), sending one message
(`sending`) and saying in our own words why it failed (`causes`), and the delivery of what the rules match
(`delivery`): claim, send, note. Rules and the log of deliveries are tables of `records`.

Does not belong here: what counts as an alert (`quality`), who may change a rule (`governance`), when a delivery runs.
An address is a secret as a whole: it is in no message, log line, error or table. apprise and its plugins are imported
when something is sent, and nowhere else.
"""
