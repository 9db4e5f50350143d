"""Housekeeping at set times: Dagster jobs that do what the commands do, and the timetable by which they run.

Belongs here: when which job runs (`timetable`), how a job is made, in whose name it works and how it fails (`jobs`),
what each job calls and shows (`chores` for what removes or counts, `safety` for what proves), and pruning Dagster's own
history (`run_history`, `backfills`, `ticks`, `check_history`, `run_files`), which no other room can know. `build` puts
them together for the definitions.

Does not belong here: what is old enough, superfluous, damaged or due. The rooms above decide that, for a command and
for a job alike.
"""
