"""Many partners' goals in one line: pooled, summed and told; apart, because a portfolio is never the mean of
its parts.
"""
