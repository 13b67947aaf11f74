"""What the server does in one step, as Lua: a write is whole or absent, and takes the next numbers of its namespace.

Every script takes the six keys of ``Space.fixed`` first, then the keys of the entries it writes.
"""

from __future__ import annotations


def _script(*parts: str) -> bytes:
    return "\n".join(parts).encode()


_KEYS = """
local meta, index, deleted = KEYS[1], KEYS[2], KEYS[3]
local expiring, access, touched = KEYS[4], KEYS[5], KEYS[6]
"""

_SWEEP = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function sweep(most)
  local over = redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(over) do
    redis.call('ZREM', index, id)
    redis.call('ZREM', expiring, id)
    redis.call('ZREM', touched, id)
    redis.call('HDEL', access, id)
  end
  return #over
end
"""
"""The server drops an expired entry by itself; this drops what is kept about it elsewhere."""

_BURY = """
local function bury(id, seq)
  redis.call('ZREM', index, id)
  redis.call('ZREM', expiring, id)
  redis.call('ZREM', touched, id)
  redis.call('HDEL', access, id)
  redis.call('ZADD', deleted, seq, id)
end
local function trim()
  local excess = redis.call('ZCARD', deleted) - 10000
  if excess > 0 then
    local dropped = redis.call('ZPOPMIN', deleted, excess)
    redis.call('HSET', meta, 'floor', dropped[#dropped])
  end
end
"""
"""A deletion is listed until 10,000 later ones have come; who was away for longer reads the namespace anew."""

PUT = _script(
    _KEYS,
    _SWEEP,
    _BURY,
    """
local epoch = redis.call('HGET', meta, 'epoch') or ARGV[1]
local prefix, with_docs, head, tail = tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], ARGV[5]
local groups, stride = tonumber(ARGV[6]), with_docs and 3 or 2
local dims = tonumber(redis.call('HGET', meta, 'dims') or nil)
local seq = tonumber(redis.call('HGET', meta, 'seq') or 0)
local has_docs = redis.call('HEXISTS', meta, 'docs') == 1
local begins = seq == 0
sweep(100)
local may_be_deleted = redis.call('EXISTS', deleted) == 1
local may_expire = redis.call('EXISTS', expiring) == 1
local may_have_access = redis.call('EXISTS', access) == 1

local function write_document(id, found, packed, ttl)
  if not (with_docs or has_docs) or not dims then return end
  local key = head .. dims .. tail .. id
  if with_docs and found > 0 and ttl >= 0 then
    redis.call('HSET', key, unpack(cmsgpack.unpack(packed)))
    if ttl > 0 then redis.call('PEXPIREAT', key, now + ttl) else redis.call('PERSIST', key) end
    has_docs = true
  elseif has_docs then
    redis.call('UNLINK', key)
  end
end
local pairs_to_set, scores, ids = {}, {}, {}
local function flush()
  if #ids > 0 then
    redis.call('MSET', unpack(pairs_to_set))
    redis.call('ZADD', index, unpack(scores))
    if may_expire then redis.call('ZREM', expiring, unpack(ids)) end
    if may_be_deleted then redis.call('ZREM', deleted, unpack(ids)) end
    if may_have_access then
      redis.call('HDEL', access, unpack(ids))
      redis.call('ZREM', touched, unpack(ids))
    end
    pairs_to_set, scores, ids = {}, {}, {}
  end
end
local function write_plain(key, value)
  seq = seq + 1
  local n = #ids + 1
  local id = string.sub(key, prefix + 1)
  ids[n] = id
  scores[2 * n - 1], scores[2 * n] = seq, id
  pairs_to_set[2 * n - 1], pairs_to_set[2 * n] = key, value
  if n == 500 then flush() end
end
local function write(key, value, ttl, stats)
  flush()
  local id = string.sub(key, prefix + 1)
  seq = seq + 1
  if ttl < 0 then
    redis.call('UNLINK', key)
    bury(id, seq)
    may_be_deleted = true
    return
  end
  if ttl > 0 then
    redis.call('SET', key, value, 'PXAT', now + ttl)
    redis.call('ZADD', expiring, now + ttl, id)
    may_expire = true
  else
    redis.call('SET', key, value)
    redis.call('ZREM', expiring, id)
  end
  redis.call('ZADD', index, seq, id)
  redis.call('ZREM', deleted, id)
  redis.call('ZREM', touched, id)
  if stats == '' then
    redis.call('HDEL', access, id)
  else
    redis.call('HSET', access, id, stats)
    may_have_access = true
  end
end

local reply, done, written = {epoch}, 0, false
for g = 1, groups do
  local size = tonumber(ARGV[6 + g])
  local wanted, misfit, marks, founds = dims, nil, {}, {}
  for e = done + 1, done + size do
    local mark = ARGV[6 + groups + stride * (e - 1) + 2]
    local found = tonumber(mark)
    if not found then
      local given, ttl, stats = string.match(mark, '^(%d+) (%-?%d+) ?(.*)$')
      found = tonumber(given)
      marks[e] = {tonumber(ttl), stats}
    end
    founds[e] = found
    if found > 0 then
      wanted = wanted or found
      if wanted ~= found then
        misfit = {-1, wanted, found, e - done}
        break
      end
    end
  end
  if misfit then
    reply[#reply + 1] = misfit
  else
    local first = seq + 1
    dims, written = wanted, true
    for e = done + 1, done + size do
      local place, mark = 6 + groups + stride * (e - 1), marks[e]
      local key, value = KEYS[6 + e], ARGV[place + 1]
      if mark then write(key, value, mark[1], mark[2]) else write_plain(key, value) end
      write_document(string.sub(key, prefix + 1), founds[e], ARGV[place + 3], mark and mark[1] or 0)
    end
    reply[#reply + 1] = {first, seq}
  end
  done = done + size
end
flush()
if written then
  redis.call('HSET', meta, 'epoch', epoch, 'seq', seq)
  if dims then redis.call('HSET', meta, 'dims', dims) end
  if has_docs then redis.call('HSET', meta, 'docs', 1) end
  if with_docs then
    if begins then redis.call('HSET', meta, 'searchable', 1) end
  else
    redis.call('HDEL', meta, 'searchable')
  end
  trim()
end
return reply
""",
)
"""ARGV: an epoch for a new namespace, the length of the entries' key prefix, 1 to fill the search index, the two parts
of ``Space.documents``, the number of calls and the size of each, then for each entry its value, its mark, and its
document if the index is filled. A namespace is searchable as long as everything in it was written with documents.
A mark is ``dims [ttl [count time]]``: ttl in milliseconds, 0 for none, -1 for over. Entries that neither expire nor
were accessed go in few commands, 500 at a time, which is what Lua can take.
Returns the epoch, then per call the numbers of its first and last change, or ``-1, dims held, dims given, position``
for one that does not fit and of which nothing was written."""

DELETE = _script(
    _KEYS,
    _BURY,
    """
local prefix, head, tail, groups = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local has_docs, dims = redis.call('HEXISTS', meta, 'docs') == 1, redis.call('HGET', meta, 'dims')
local start = tonumber(redis.call('HGET', meta, 'seq') or 0)
local seq, reply, done = start, {redis.call('HGET', meta, 'epoch') or ''}, 0
for g = 1, groups do
  local first, count, size = seq + 1, 0, tonumber(ARGV[4 + g])
  for e = done + 1, done + size do
    local id = string.sub(KEYS[6 + e], prefix + 1)
    local there = redis.call('UNLINK', KEYS[6 + e])
    count = count + there
    if has_docs and dims then redis.call('UNLINK', head .. dims .. tail .. id) end
    if there == 1 or redis.call('ZSCORE', index, id) then
      seq = seq + 1
      bury(id, seq)
    end
  end
  reply[#reply + 1] = {first, seq, count}
  done = done + size
end
if seq > start then
  redis.call('HSET', meta, 'seq', seq)
  trim()
end
return reply
""",
)
"""ARGV: the length of the entries' key prefix, the two parts of ``Space.documents``, the number of calls and the size
of each. Returns the epoch, then per
call the numbers of its first and last change (last < first for none) and how many entries were there."""

TOUCH = _script(
    _KEYS,
    """
local start = tonumber(redis.call('HGET', meta, 'seq') or 0)
local seq = start
for place = 1, #ARGV, 3 do
  local id, more, at = ARGV[place], tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
  if redis.call('ZSCORE', index, id) then
    local count, last = string.match(redis.call('HGET', access, id) or '0 0', '^(%d+) (%d+)$')
    local stats = string.format('%.0f %.0f', tonumber(count) + more, math.max(tonumber(last), at))
    redis.call('HSET', access, id, stats)
    seq = seq + 1
    redis.call('ZADD', touched, seq, id)
  end
end
if seq > start then redis.call('HSET', meta, 'seq', seq) end
return {redis.call('HGET', meta, 'epoch') or '', start + 1, seq}
""",
)
"""ARGV: id, count and time of each touch. Returns the epoch and the numbers of the first and last change."""

BIND = _script(
    _KEYS,
    """
local bound = redis.call('HGET', meta, 'embedder')
if not bound and ARGV[2] ~= '' then
  bound = ARGV[2]
  redis.call('HSETNX', meta, 'epoch', ARGV[1])
  redis.call('HSET', meta, 'embedder', bound)
end
return bound
""",
)
"""ARGV: an epoch for a new namespace, the fingerprint or nothing. Returns the one recorded, or nil."""

CLEAR = _script(
    _KEYS,
    """
local ids = redis.call('ZRANGE', index, 0, -1)
local dims = redis.call('HEXISTS', meta, 'docs') == 1 and redis.call('HGET', meta, 'dims')
for start = 1, #ids, 1000 do
  local keys = {}
  for place = start, math.min(start + 999, #ids) do keys[#keys + 1] = ARGV[1] .. ids[place] end
  if dims then
    for place = start, math.min(start + 999, #ids) do
      keys[#keys + 1] = ARGV[2] .. dims .. ARGV[3] .. ids[place]
    end
  end
  redis.call('UNLINK', unpack(keys))
end
redis.call('UNLINK', meta, index, deleted, expiring, access, touched)
""",
)
"""ARGV: the entries' key prefix, the two parts of ``Space.documents``. Entries are unlinked by names made here, since
only the server knows them all at the moment of clearing; they share the hash tag of the keys that are declared."""

COUNT = _script(
    _KEYS,
    _SWEEP,
    """
while sweep(1000) == 1000 do end
return redis.call('ZCARD', index)
""",
)
"""Returns how many entries are there and have not expired."""

CHANGES = _script(
    _KEYS,
    """
local state = redis.call('HMGET', meta, 'epoch', 'seq', 'floor')
local changed = redis.call('ZRANGEBYSCORE', index, '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local gone = redis.call('ZRANGEBYSCORE', deleted, '(' .. ARGV[2], '+inf')
local accessed = redis.call('ZRANGEBYSCORE', touched, '(' .. ARGV[2], '+inf')
return {state[1] or '', tonumber(state[2] or 0), tonumber(state[3] or 0), changed, gone, accessed}
""",
)
"""ARGV: the last number seen of writes, the last number seen of deletions and touches, most writes to list."""

ACCESS = _script(
    _KEYS,
    """
local found = {}
if redis.call('EXISTS', access) == 1 then
  for place, id in ipairs(ARGV) do
    local stats = redis.call('HGET', access, id)
    if stats then
      found[#found + 1] = place - 1
      found[#found + 1] = stats
    end
  end
end
return found
""",
)
"""ARGV: ids. Returns the position and the ``count time`` of each that was accessed, in turn; most were not, and a
missing answer costs the client as much as a short one."""
