"""What every CUDA kernel of npae stands on: the device, its sources, and what the sources share.

device.py     current() -> Device: launches kernels, gives scratch memory; CuPy, or what a test puts in its place
lane.py       a stream with memory of its own, whose launches are recorded once and replayed, some beside others
recording.py  what was recorded
source.py     the .cu files of the package, with npae.cuh put in where it is included
npae.cuh      types, scalars that live on the device, sums in a fixed order
product.cuh   a matrix product by tiles, for dense/dense.cu
tiles.cuh     squared distances of 64 rows and 64 columns, 4 x 4 of them a thread
"""
