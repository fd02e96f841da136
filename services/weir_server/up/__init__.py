"""`weir up`: everything on one machine, in one data directory.

serve.py         start, watch, stop: the story in order
data_dir.py      the one directory: who holds it, what lies where
arrange.py       settings as given → settings as run: ports, password, socket, paths
plan.py          the parts, the order they start in, and how each says that it is ready (pure)
part.py          one child process: start, poll, stop, kill
supervisor.py    starts what is dead, stops everything in order
restarts.py      how long to wait before a dead part is started again (pure)
redis_server.py  which redis-server, and its command line
probes.py        is it ready? one short question each
ports.py         free ports, and who has a taken one
launch.py        a child's environment and its bond to this process
orphans.py       what a killed `weir up` left behind
state.py         weir-up.json
log_file.py      a child's log, rolled
banner.py        what people see
"""
