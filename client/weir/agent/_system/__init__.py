"""What the agent measures of its node: processor, memory, disk, network, processes, accelerators.

    telemetry.py      the observer: what is due, sample it once, write it to every run of the node
    sampling.py       sources that have one period, and what a look at the node found
    watched.py        one run: its frames, its facts, its usage, what could not be written
    names.py          every metric, its unit and its meaning, declared once
    source.py         what a source of samples is; the words Sample, Held, Notice
    sources.py        which sources there are on this node; plug-ins by entry point
    pace.py           how often (pure); cost.py: what measuring may cost (pure)
    steadied.py       a source that raises is left alone for a while
    aside.py          a source that may hang, in a thread of its own
    wishes.py         what the runs of the node ask for (pure)
    rate.py           counters into rates per second
    block.py          samples as columns of a frame
    usage.py          hours, energy and idle share of accelerators
    facts.py          what the machine is
    cpu.py memory.py disk.py network.py rdma.py cgroup.py amd.py openmetrics.py   one source each
    processes.py      the table of processes; process.py: those of a run, by rank
    nvidia.py         NVIDIA cards; nvml.py: every call is optional; nvidia_*.py: parts of it

docs/formats/system.md lists the metrics, and how to write a source of one's own.
"""
