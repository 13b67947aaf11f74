"""Pure plans over entries and a clock: what expires, what is evicted, what moves, what is condensed."""
