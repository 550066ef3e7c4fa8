"""What a training step that is captured once and replayed needs on the device: its counters, its tables, its log.

A replayed graph repeats the launches with the addresses and numbers that it was captured with, so all that changes lies on the device:

    counters (2,) int64      t: steps made since the optimiser began        k: steps made of those that were told, the place in the tables
    order (K B,) int64       the rows of the data that each step takes: step k those from k B on
    table (K, C) float64     for each step its C coefficients: alpha and root_scale of Adam, ...
    log (K, T) float64       what each step leaves for the host: its terms
    bad () uint32            1 once a step was not finite: that step and all after it leave everything as it is, until the host looks

    begin_step        rows (B,) = order[k B ... (k + 1) B)      x (B, F) = data (N, F)[rows]
    gather            out (B, F) = data (N, F)[rows (B,)]
    check_gradient    gradient_scale () = min(1, clip_norm / |g|), which Adam multiplies the gradient g (P,) by
                      NaN, and bad = 1, where a number that must be finite is not, or |g|^2 in float64 is not; without clipping, where the
                      square of an element of g is not, in its own precision (Adam keeps it). NaN too where bad was set already: Adam then
                      leaves everything as it is
    end_step          log[k] = T numbers, wherever they lie      coefficients (C,) = table[k]      t += 1      k += 1

The caller sees to it that k stays within the tables, and rows within the data: nothing is checked on the device. |g|^2 is summed in float64
in a fixed order; all else is exact. No kernel of the registry: there is no step to capture on a CPU. Only the GPU form exists; the tests
hold it against NumPy.
"""
