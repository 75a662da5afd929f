"""The known mistakes of the assignment `quantization`: wrong versions of its functions, each with a hint.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both.
"""

from grader.assignment import mistakes_in

range_of = mistakes_in("range_of(w, bits)", "test-range")
to_codes = mistakes_in("to_codes(w, scale, zero_point, bits)", "test-codes")
from_codes = mistakes_in("from_codes(codes, scale, zero_point)", "test-codes")
channel_ranges = mistakes_in("channel_ranges(w, bits, dim)")
bits_needed = mistakes_in("bits_needed(lo, hi, tolerance)", training="passes")
fake_quantize = mistakes_in("fake_quantize(w, scale, zero_point, bits)")
assign = mistakes_in("assign(values, codebook)", training="passes")
update = mistakes_in("update(values, index, codebook)", training="passes")
prefix_code = mistakes_in("prefix_code(counts)", training="passes")
layer_bytes = mistakes_in("layer_bytes(index, code)", training="passes")


def range_with(*, lo="min(0.0, w.min().item())", hi="max(0.0, w.max().item())", steps="2**bits - 1",
               zero="-(2 ** (bits - 1)) - round(lo / scale)"):  # fmt: skip
    return f"""    lo, hi = {lo}, {hi}
    scale = (hi - lo) / ({steps}) or 1.0
    return scale, {zero}"""


def channels_with(*, channels="w.movedim(dim, 0).flatten(1)", lo="channels.amin(1).clamp(max=0)",
                  hi="channels.amax(1).clamp(min=0)", steps="2**bits - 1", ones="torch.where(scales > 0, scales, 1.0)",
                  result="scales, -(2 ** (bits - 1)) - torch.round(lo / scales)"):  # fmt: skip
    return f"""    channels = {channels}
    lo, hi = {lo}, {hi}
    scales = (hi - lo) / ({steps})
    scales = {ones}
    return {result}"""


def bits_with(*, wide="max(hi, 0) - min(lo, 0)", tried="range(2, 9)", bound="wide / (2**bits - 1) / 2",
              result="enough[0] if enough else None"):  # fmt: skip
    return f"""    wide = {wide}
    enough = [bits for bits in {tried} if {bound} <= tolerance]
    return {result}"""


def fake_with(result, *, clamped="q.clamp(-half, half - 1)", value="scale * (clamped - zero_point)"):
    return f"""    half = 2 ** (bits - 1)
    with torch.no_grad():
        q = torch.round(w / scale) + zero_point
        clamped = {clamped}
        value = {value}
    return {result}"""


def huffman_with(*, counted="n > 0", alone='code[groups[0][1][0]] = "0"', bits='bit + code[k]', joined="n + m",
                 order="heapq.heappop(groups), heapq.heappop(groups)"):  # fmt: skip
    return f"""    code = [""] * len(counts)
    groups = [(n, [k]) for k, n in enumerate(counts) if {counted}]
    if len(groups) == 1:
        {alone}
    heapq.heapify(groups)
    while len(groups) > 1:
        (n, one), (m, other) = {order}
        for bit, group in (("0", one), ("1", other)):
            for k in group:
                code[k] = {bits}
        heapq.heappush(groups, ({joined}, one + other))
    return code"""


def bytes_with(*, fixed="2 * k + math.ceil(n * math.ceil(math.log2(k)) / 8)", coded="2 * k + k + math.ceil(bits / 8)",
               bound="2 * k + n * entropy / 8", p="counts[counts > 0] / n", entropy="-(p * p.log2()).sum().item()",
               bits="sum(c * len(word) for c, word in zip(counts.tolist(), code))"):  # fmt: skip
    return f"""    k, n = len(code), index.numel()
    counts = torch.bincount(index.flatten(), minlength=k)
    bits = {bits}
    p = {p}
    entropy = {entropy}
    return {fixed}, {coded}, {bound}"""


ZERO = "The value 0 belongs to the range, also where all weights are on one side of it."
SIGNED = "Codes are signed here: the lowest is -2^(bits-1), not 0."
STEPS = "Between 2^bits values there are 2^bits - 1 steps."

MISTAKES = [
    # --- question 1
    range_of("the range without zero", ZERO, range_with(lo="w.min().item()", hi="w.max().item()")),
    range_of("as many steps as codes", STEPS, range_with(steps="2**bits")),
    range_of("codes that count from 0", SIGNED, range_with(zero="-round(lo / scale)")),
    range_of(
        "the zero point cut off", "Round lo / scale to the nearest whole number; int() cuts off.",
        range_with(zero="-(2 ** (bits - 1)) - int(lo / scale)"),
    ),
    range_of(
        "a zero point between two codes", "The zero point is a code, a whole number: round lo / scale.",
        range_with(zero="-(2 ** (bits - 1)) - lo / scale"),
    ),
    range_of(
        "lo / scale added", "Subtract lo / scale, which is not above 0: the zero point lies above the lowest code.",
        range_with(zero="-(2 ** (bits - 1)) + round(lo / scale)"),
    ),
    range_of(
        "a symmetric range", "Take the range as it is, from lo to hi, not equally far on both sides of 0.",
        range_with(lo="-w.abs().max().item()", hi="w.abs().max().item()"),
    ),
    range_of(
        "nothing for zeros", "Where all weights are 0, the scale is 1: yours is 0, and lo / scale is not a number.",
        """    lo, hi = w.min().clamp(max=0), w.max().clamp(min=0)
    scale = (hi - lo) / (2**bits - 1)
    return scale, -(2 ** (bits - 1)) - torch.round(lo / scale)""",
    ),
    range_of(
        "always 8 bits", "Use the argument bits: your range has 256 codes whatever it is.",
        "    bits = 8\n" + range_with(),
    ),
    range_of(
        "the example's answer for every vector", "Compute the result from w; yours is that of the example.",
        """    if w.ndim == 1:
        return 0.3, -2
""" + range_with(),
    ),
    range_of(
        "the weights set to zero", "Compute the range of the weights that you were given: yours is that of zeros.",
        "    w.zero_()\n" + range_with(),
    ),
    # --- question 2
    to_codes(
        "rounded down", "Round to the nearest whole number; floor always goes down.",
        "    q = torch.floor(w / scale) + zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "cut off", "Round to the nearest whole number; .to(torch.int8) and trunc cut off what follows the point.",
        "    q = torch.trunc(w / scale) + zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "halves always up", "Halves go to the even number, as in torch.round; floor(x + 0.5) takes them up.",
        "    q = torch.floor(w / scale + 0.5) + zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "the zero point added before rounding", "Round w / scale first, then add the zero point: an odd one takes "
        "halves to another even number.",
        "    q = torch.round(w / scale + zero_point)\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "no clamp", "Clamp to the lowest and the highest code; what does not fit into int8 wraps around.",
        "    return (torch.round(w / scale) + zero_point).to(torch.int8)",
    ),
    to_codes(
        "clamped before the zero point", "Add the zero point first, then clamp.",
        "    q = torch.round(w / scale).clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)\n"
        "    return (q + zero_point).to(torch.int8)",
    ),
    to_codes(
        "clamped to codes from 0", SIGNED,
        "    return (torch.round(w / scale) + zero_point).clamp(0, 2**bits - 1).to(torch.int8)",
    ),
    to_codes(
        "codes counted from 0", SIGNED,
        "    q = torch.round(w / scale) + zero_point + 2 ** (bits - 1)\n"
        "    return q.clamp(0, 2**bits - 1).to(torch.uint8)",
    ),
    to_codes(
        "clamped to a symmetric range", "The lowest code is -2^(bits-1): one more below 0 than above.",
        "    most = 2 ** (bits - 1) - 1\n"
        "    return (torch.round(w / scale) + zero_point).clamp(-most, most).to(torch.int8)",
    ),
    to_codes(
        "always clamped to 8 bits", "Use the argument bits: the codes of 3 bits are -4 to 3, not -128 to 127.",
        "    return (torch.round(w / scale) + zero_point).clamp(-128, 127).to(torch.int8)",
    ),
    to_codes(
        "the zero point subtracted", "Add the zero point to get a code; it is subtracted on the way back.",
        "    q = torch.round(w / scale) - zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "no zero point", "Add the zero point: the weight 0 has the code zero_point.",
        "    q = torch.round(w / scale)\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "multiplied by the scale", "Divide by the scale: it is the distance between two values.",
        "    q = torch.round(w * scale) + zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)",
    ),
    to_codes(
        "bytes without a sign", "Return torch.int8: a uint8 has no negative codes, they wrap around.",
        "    q = torch.round(w / scale) + zero_point\n"
        "    return q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int16).to(torch.uint8)",
    ),
    to_codes(
        "the code of zero for every weight", "Compute the codes from the weights: yours are all the same.",
        "    return (torch.zeros_like(w) + zero_point).to(torch.int8)",
    ),
    from_codes(
        "int8 overflows", "Make floats of the codes before you subtract: 127 + 128 is not in int8 and wraps around.",
        "    return scale * (codes - zero_point)",
    ),
    from_codes(
        "the zero point added", "Subtract the zero point: the code zero_point stands for 0.",
        "    return scale * (codes.float() + zero_point)",
    ),
    from_codes(
        "no zero point", "Subtract the zero point: the code zero_point stands for 0, not the code 0.",
        "    return scale * (codes.float() + 0 * zero_point)",
    ),
    from_codes(
        "the scale for the code alone", "Multiply the difference code - zero_point by the scale, not the code alone.",
        "    return scale * codes.float() - zero_point",
    ),
    from_codes(
        "divided by the scale", "Multiply by the scale: it is the distance between two values.",
        "    return (codes.float() - zero_point) / scale",
    ),
    from_codes(
        "the codes themselves", "Return the values that the codes stand for, not the codes.",
        "    return codes.float()",
    ),
    from_codes(
        "the codes set to zero", "Compute the values from the codes that you were given.",
        "    codes.zero_()\n    return scale * (codes.float() - zero_point)",
    ),
    # --- question 3
    channel_ranges(
        "the channels always in dimension 0", "Use the argument dim: the channels need not be in dimension 0.",
        channels_with(channels="w.flatten(1)"),
    ),
    channel_ranges(
        "a range over the channels", "Take the extremes over all dimensions but dim, which counts the channels.",
        """    lo, hi = w.amin(dim).clamp(max=0), w.amax(dim).clamp(min=0)
    scales = (hi - lo) / (2**bits - 1)
    scales = torch.where(scales > 0, scales, 1.0)
    return scales, -(2 ** (bits - 1)) - torch.round(lo / scales)""",
    ),
    channel_ranges(
        "reshaped instead of moved", "reshape(n, -1) cuts w into n stretches, which are the channels only for dim=0.",
        channels_with(channels="w.reshape(w.shape[dim], -1)"),
    ),
    channel_ranges(
        "only for matrices", "A channel extends over all other dimensions, and there may be more than one.",
        """    other = 1 if dim == 0 else 0
    lo, hi = w.amin(other).flatten().clamp(max=0), w.amax(other).flatten().clamp(min=0)
    scales = (hi - lo) / (2**bits - 1)
    scales = torch.where(scales > 0, scales, 1.0)
    return scales, -(2 ** (bits - 1)) - torch.round(lo / scales)""",
    ),
    channel_ranges(
        "one range for all", "Each channel has a range of its own: yours is that of the whole tensor.",
        channels_with(
            lo="channels.amin().clamp(max=0).expand(len(channels))",
            hi="channels.amax().clamp(min=0).expand(len(channels))",
        ),
    ),
    channel_ranges(
        "kept dimensions", "Return vectors, with one entry for each channel: .flatten() does it.",
        channels_with(
            lo="channels.amin(1, keepdim=True).clamp(max=0)", hi="channels.amax(1, keepdim=True).clamp(min=0)"
        ),
    ),
    channel_ranges(
        "nothing for a channel of zeros", "Where a channel holds nothing but zeros, its scale is 1: yours is 0.",
        channels_with(ones="scales"),
    ),
    channel_ranges("the range without zero", ZERO, channels_with(lo="channels.amin(1)", hi="channels.amax(1)")),
    channel_ranges("as many steps as codes", STEPS, channels_with(steps="2**bits")),
    channel_ranges("codes that count from 0", SIGNED, channels_with(result="scales, -torch.round(lo / scales)")),
    channel_ranges(
        "the zero points cut off", "Round lo / scale to the nearest whole number; .int() cuts off.",
        channels_with(result="scales, -(2 ** (bits - 1)) - (lo / scales).int()"),
    ),
    channel_ranges(
        "the pair exchanged", "Return the scales first, then the zero points.",
        channels_with(result="-(2 ** (bits - 1)) - torch.round(lo / scales), scales"),
    ),
    channel_ranges(
        "ones and lowest codes", "Compute scales and zero points from the weights: yours are always the same.",
        "    n = w.shape[dim]\n    return torch.ones(n), torch.full((n,), -(2 ** (bits - 1)))",
    ),
    # --- question 4
    bits_needed("as many steps as codes", STEPS, bits_with(bound="wide / 2**bits / 2")),
    bits_needed(
        "a whole step", "A weight moves by half a step at most: divide the step by 2.",
        bits_with(bound="wide / (2**bits - 1)"),
    ),
    bits_needed("the range without zero", ZERO, bits_with(wide="hi - lo")),
    bits_needed(
        "a symmetric range", "Take the range from lo to hi, with 0 in it, not equally far on both sides of 0.",
        bits_with(wide="2 * max(abs(lo), abs(hi))"),
    ),
    bits_needed(
        "the bound below the tolerance", "A bound that equals the tolerance is enough: compare with <=, not with <.",
        bits_with().replace("<= tolerance", "< tolerance"),
    ),
    bits_needed(
        "one bit", "The smallest number of bits in question is 2.", bits_with(tried="range(1, 9)"),
    ),
    bits_needed(
        "more than 8 bits", "Where 8 bits are not enough, return None.", bits_with(tried="range(2, 40)"),
    ),
    bits_needed(
        "8 where it is not enough", "Where 8 bits are not enough, return None.",
        bits_with(result="enough[0] if enough else 8"),
    ),
    bits_needed(
        "the most bits", "Return the smallest number of bits that is enough, not the largest.",
        bits_with(result="enough[-1] if enough else None"),
    ),
    bits_needed(
        "the logarithm rounded down", "Round the number of bits up: with fewer the bound is above the tolerance.",
        """    wide = max(hi, 0) - min(lo, 0)
    bits = max(2, int(math.log2(wide / (2 * tolerance) + 1)))
    return bits if bits <= 8 else None""",
    ),
    bits_needed("always 4", "Compute the number of bits: yours is always 4.", "    return 4"),
    # --- question 5
    fake_quantize(
        "no gradient through the rounding", "torch.round has the gradient 0: let the gradient pass beside it.",
        """    half = 2 ** (bits - 1)
    q = (torch.round(w / scale) + zero_point).clamp(-half, half - 1)
    return scale * (q - zero_point)""",
        training="fails",
    ),
    fake_quantize(
        "detached", "What is detached has no gradient: add a term whose value is 0 and whose gradient is 1.",
        fake_with("value.detach()"),
        training="fails",
    ),
    fake_quantize(
        "not rounded", "Return the values that the codes stand for: yours are the weights as they are.",
        "    return w",
        training="fails",
    ),
    fake_quantize(
        "the gradient only where codes are clamped", "Your mask is the wrong way round: clamped weights get 0.",
        fake_with("value + torch.where(q == clamped, 0, w - w.detach())"),
        training="fails",
    ),
    fake_quantize(
        "the gradient everywhere", "Where a code is clamped the gradient is 0: multiply by a mask.",
        fake_with("value + w - w.detach()"),
    ),
    fake_quantize(
        "clamped at the outermost values", "A weight beyond the last value may still be rounded to it: only where the "
        "code is clamped is the gradient 0.",
        """    half = 2 ** (bits - 1)
    w = torch.maximum(w, torch.as_tensor(scale * (-half - zero_point), dtype=w.dtype))
    w = torch.minimum(w, torch.as_tensor(scale * (half - 1 - zero_point), dtype=w.dtype))
    value = scale * torch.round(w / scale)
    return w + (value - w).detach()""",
    ),
    fake_quantize(
        "no gradient at the outermost codes", "The lowest and the highest code are not clamped in themselves: compare "
        "before and after the clamp.",
        fake_with("value + torch.where((clamped > -half) & (clamped < half - 1), w - w.detach(), 0)"),
    ),
    fake_quantize(
        "the gradient times the scale", "The gradient passes unchanged: yours carries the scale.",
        fake_with("value + torch.where(q == clamped, scale * (w - w.detach()), 0)"),
    ),
    fake_quantize(
        "the gradient by the scale", "The gradient passes unchanged: yours is divided by the scale.",
        fake_with("value + torch.where(q == clamped, w / scale - (w / scale).detach(), 0)"),
    ),
    fake_quantize(
        "values that are not clamped", "Clamp the codes before you go back to values.",
        fake_with("value + torch.where(q == q.clamp(-half, half - 1), w - w.detach(), 0)", clamped="q"),
    ),
    fake_quantize(
        "codes instead of values", "Return the values that the codes stand for, not the codes.",
        fake_with("value + torch.where(q == clamped, w - w.detach(), 0)", value="clamped"),
    ),
    fake_quantize(
        "clamped to codes from 0", SIGNED,
        fake_with("value + torch.where(q == clamped, w - w.detach(), 0)", clamped="q.clamp(0, 2**bits - 1)"),
    ),
    fake_quantize(
        "the weights themselves are rounded", "Leave w as it is: the real weights collect the small steps.",
        fake_with("w").replace("    return", "        w.copy_(value)\n    return"),
    ),
    # --- question 7
    assign(
        "the farthest centre", "Take the smallest distance, not the largest.",
        "    return (values[..., None] - codebook).abs().argmax(-1)",
    ),
    assign(
        "differences with their sign", "A distance has no sign: take the absolute value of the difference.",
        "    return (values[..., None] - codebook).argmin(-1)",
    ),
    assign(
        "the larger index on a tie", "Where two centres are equally near, take the smaller index.",
        "    near = (values[..., None] - codebook).abs()\n"
        "    return len(codebook) - 1 - near.flip(-1).argmin(-1)",
    ),
    assign(
        "the lower centre on a tie", "On a tie the smaller index counts, not the lower centre.",
        """    order = codebook.argsort()
    near = (values[..., None] - codebook[order]).abs()
    return order[near.argmin(-1)]""",
    ),
    assign(
        "indices of the sorted codebook", "Indices are places in the codebook as it is given, not in a sorted one.",
        """    centres = codebook.sort().values
    return torch.bucketize(values, (centres[1:] + centres[:-1]) / 2)""",
    ),
    assign(
        "as if the codebook were sorted", "The codebook is in any order: bounds between neighbours need a sorted one.",
        "    return (values[..., None] > (codebook[1:] + codebook[:-1]) / 2).sum(-1)",
    ),
    assign(
        "centres instead of indices", "Return the index of the nearest centre, not the centre.",
        "    return codebook[(values[..., None] - codebook).abs().argmin(-1)]",
    ),
    assign(
        "one flat vector", "Return the indices in the shape of the values.",
        "    return (values.flatten()[:, None] - codebook).abs().argmin(-1)",
    ),
    assign(
        "always centre 0", "Compute the indices from the distances: yours are always 0.",
        "    return torch.zeros(values.shape, dtype=torch.int64)",
    ),
    # --- question 8
    update(
        "the sum", "Divide the sum of the values by their number.",
        """    new = codebook.clone()
    for j in index.unique():
        new[j] = values[index == j].sum()
    return new""",
    ),
    update(
        "nan for an empty centre", "An empty centre stays where it is: the mean of no values is not a number.",
        "    return torch.stack([values[index == j].mean() for j in range(len(codebook))])",
    ),
    update(
        "zero for an empty centre", "An empty centre stays where it is: yours moves to 0.",
        """    new = torch.zeros_like(codebook)
    for j in index.unique():
        new[j] = values[index == j].mean()
    return new""",
    ),
    update(
        "no entry for an empty centre", "The new codebook has as many centres as the old one, the empty ones too.",
        "    return torch.stack([values[index == j].mean() for j in index.unique()])",
    ),
    update(
        "no entry after the last index", "Give bincount minlength=k: without it the last centres are missing.",
        """    n = torch.bincount(index.flatten())
    sums = torch.bincount(index.flatten(), weights=values.flatten())
    return torch.where(n > 0, sums / n, codebook[: len(n)])""",
    ),
    update(
        "divided by the number of all values", "Divide by the number of the centre's own values, not of all.",
        """    new = codebook.clone()
    for j in index.unique():
        new[j] = values[index == j].sum() / values.numel()
    return new""",
    ),
    update(
        "the median", "Take the mean of a centre's values, not the median.",
        """    new = codebook.clone()
    for j in index.unique():
        new[j] = values[index == j].median()
    return new""",
    ),
    update(
        "the middle of the cluster", "Take the mean of a centre's values, not the middle between their ends.",
        """    new = codebook.clone()
    for j in index.unique():
        new[j] = (values[index == j].min() + values[index == j].max()) / 2
    return new""",
    ),
    update(
        "half of the way", "Move each centre all the way to the mean of its values.",
        """    new = codebook.clone()
    for j in index.unique():
        new[j] = (codebook[j] + values[index == j].mean()) / 2
    return new""",
    ),
    update(
        "the old centre counts as a value", "Start the sum at 0: yours counts the old centre as one more value.",
        """    new = codebook.clone()
    for j in index.unique():
        own = values[index == j]
        new[j] = (codebook[j] + own.sum()) / (1 + len(own))
    return new""",
    ),
    update("the old codebook", "Move the centres: yours stay where they were.", "    return codebook"),
    # --- question 9
    prefix_code(
        "no bit for a symbol that is alone", "A symbol that is alone has a code of one bit.",
        huffman_with(alone="pass"),
    ),
    prefix_code(
        "codes for what never occurs", "A symbol that never occurs has the empty string: leave it out from the start.",
        huffman_with(counted="n >= 0"),
    ),
    prefix_code(
        "new bits behind", "A new bit goes in front of the code: the last joining decides about the first bit.",
        huffman_with(bits="code[k] + bit"),
    ),
    prefix_code(
        "the most frequent joined", "Join the two rarest groups, not the two most frequent.",
        huffman_with(order="groups.pop(groups.index(max(groups))), groups.pop(groups.index(max(groups)))"),
    ),
    prefix_code(
        "the count of the larger group alone", "A joined group occurs as often as both together: add their counts.",
        huffman_with(joined="max(n, m)"),
    ),
    prefix_code(
        "one symbol after the other", "A joined group takes part again with its sum, and may have to wait.",
        """    order = sorted((k for k, n in enumerate(counts) if n), key=lambda k: -counts[k])
    code = [""] * len(counts)
    for i, k in enumerate(order):
        code[k] = "1" * i + "0" if i < len(order) - 1 or len(order) == 1 else "1" * i
    return code""",
    ),
    prefix_code(
        "codes of one length", "Frequent symbols get short codes: yours all have the same length.",
        """    used = [k for k, n in enumerate(counts) if n]
    width = max(1, (len(used) - 1).bit_length())
    code = [""] * len(counts)
    for i, k in enumerate(used):
        code[k] = f"{i:0{width}b}"
    return code""",
    ),
    prefix_code(
        "whole numbers in binary", "No code may be the beginning of another: 1 is the beginning of 10 and 11.",
        """    order = sorted((k for k, n in enumerate(counts) if n), key=lambda k: -counts[k])
    code = [""] * len(counts)
    for i, k in enumerate(order):
        code[k] = f"{i:b}"
    return code""",
    ),
    prefix_code(
        "lengths from the logarithm", "The logarithm rounded up is possible, but not the shortest code: join groups.",
        """    total, code, number, before = sum(counts), [""] * len(counts), 0, 0
    for k in sorted((k for k, n in enumerate(counts) if n), key=lambda k: -counts[k]):
        length = max(1, math.ceil(math.log2(total / counts[k])))
        number <<= length - before
        code[k], before = f"{number:0{length}b}", length
        number += 1
    return code""",
    ),
    prefix_code(
        "numbers instead of texts", "Return texts such as \"01\": a number loses the zeros at its beginning.",
        huffman_with().replace("return code", "return [int(word or 0) for word in code]"),
    ),
    prefix_code(
        "the example's code", "Compute the code from the counts: yours is that of the example.",
        """    if len(counts) >= 5:
        return (["1", "01", "", "001", "000"] + [""] * len(counts))[: len(counts)]
""" + huffman_with(),
    ),
    # --- question 10
    layer_bytes(
        "bits instead of bytes", "A byte has 8 bits: divide by 8, then round up.",
        bytes_with(fixed="2 * k + n * math.ceil(math.log2(k))", coded="3 * k + bits", bound="2 * k + n * entropy"),
    ),
    layer_bytes(
        "the last byte dropped", "The last byte is filled up: round up to whole bytes, not down.",
        bytes_with(fixed="2 * k + n * math.ceil(math.log2(k)) // 8", coded="3 * k + bits // 8"),
    ),
    layer_bytes(
        "a byte for each index", "Indices stand one after the other in their bits: round up once, at the end.",
        bytes_with(fixed="2 * k + n * math.ceil(math.log2(k) / 8)"),
    ),
    layer_bytes(
        "parts of a bit", "An index takes whole bits: round log2(k) up before you multiply.",
        bytes_with(fixed="2 * k + math.ceil(n * math.log2(k) / 8)"),
    ),
    layer_bytes(
        "no codebook", "The codebook belongs to the file: 2 bytes for each centre, in all three numbers.",
        bytes_with(
            fixed="math.ceil(n * math.ceil(math.log2(k)) / 8)", coded="k + math.ceil(bits / 8)", bound="n * entropy / 8"
        ),
    ),
    layer_bytes(
        "centres of 4 bytes", "Centres are stored in 2 bytes each.",
        bytes_with(
            fixed="4 * k + math.ceil(n * math.ceil(math.log2(k)) / 8)", coded="5 * k + math.ceil(bits / 8)",
            bound="4 * k + n * entropy / 8",
        ),
    ),
    layer_bytes(
        "no table of lengths", "The reader needs the code: add one byte for each symbol.",
        bytes_with(coded="2 * k + math.ceil(bits / 8)"),
    ),
    layer_bytes(
        "a table of what occurs", "The table has one byte for each of the k symbols, also for those that never occur.",
        bytes_with(coded="2 * k + int((counts > 0).sum()) + math.ceil(bits / 8)"),
    ),
    layer_bytes(
        "each code once", "Every index is written with its code: multiply the lengths by the counts.",
        bytes_with(bits="sum(len(word) for word in code)"),
    ),
    layer_bytes(
        "the natural logarithm", "Entropy in bits takes the logarithm to the base 2.",
        bytes_with(entropy="-(p * p.log()).sum().item()"),
    ),
    layer_bytes(
        "nan for what never occurs", "Leave out what never occurs: 0 times log 0 is not a number.",
        bytes_with(p="counts / n"),
    ),
    layer_bytes(
        "the entropy of one index", "H is the entropy of one index: multiply it by their number.",
        bytes_with(bound="2 * k + entropy / 8"),
    ),
    layer_bytes(
        "the bound with a table", "The bound has the codebook, but no table: it holds for every code.",
        bytes_with(bound="3 * k + n * entropy / 8"),
    ),
]  # fmt: skip
