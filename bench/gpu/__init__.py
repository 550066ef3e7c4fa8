"""What `--device cuda` needs beyond the rest of the bench.

    device.py       the one place that asks CuPy for something: a clock, a copy, a product, what the device is
    rates.py        copy bandwidth, peak of a large product, exponentials, one launch of a graph: what every floor is made of
    kernels.py      each registered kernel's gpu form against its floor and against its cpu form, at growing sizes
    kernel_work.py  what a call of a kernel has to do at least
    targets.py      the figures that were asked for, met or missed
    results.py      where a result and its picture are kept

Steps, epochs, comparisons and scaling take part in the files that do the same on a CPU: a contender on a GPU is a contender like any other,
in a process of its own.
"""
