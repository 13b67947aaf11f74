"""What the server does in one step, as Lua: a write is whole or absent, and takes the next numbers of its namespace.

Every script takes the six keys of ``Space.fixed``. Keys of entries are made here of a prefix and ids: they share the
hash tag of the six. Ids and values come as one argument, see ``frames.joined``: a client takes longer over each
argument than the server over what is in it.
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

_DOCUMENT = """
local function set_document(key, namespace, rows, at)
  local found, v = {}, rows[at + 6]
  if v ~= '' then found = {'v', v} end
  redis.call('HSET', key, 'namespace', namespace, 't', rows[at], 'importance', rows[at + 1],
    'created_at', rows[at + 2], 'updated_at', rows[at + 3], 'expires_at', rows[at + 4], 'w', rows[at + 5],
    unpack(found))
end
"""
"""Fills the search index; the values are those of ``documents.document``."""

PUT = _script(
    _KEYS,
    _SWEEP,
    _BURY,
    _DOCUMENT,
    """
local epoch = redis.call('HGET', meta, 'epoch') or ARGV[1]
local prefix, with_docs, head, tail = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5]
local sizes, rows = cmsgpack.unpack(ARGV[6]), cmsgpack.unpack(ARGV[7])
local stride = with_docs and 10 or 3
local dims = tonumber(redis.call('HGET', meta, 'dims') or nil)
local seq = tonumber(redis.call('HGET', meta, 'seq') or 0)
local has_docs = redis.call('HEXISTS', meta, 'docs') == 1
local loose = redis.call('HEXISTS', meta, 'loose') == 1
sweep(100)
local may_be_deleted = redis.call('EXISTS', deleted) == 1
local may_expire = redis.call('EXISTS', expiring) == 1
local may_have_access = redis.call('EXISTS', access) == 1

local function write_document(id, found, at, ttl)
  if has_docs and found == 0 and dims then redis.call('UNLINK', head .. dims .. tail .. id) end
  if loose and found > 0 then redis.call('UNLINK', head .. '0' .. tail .. id) end
  local key = head .. found .. tail .. id
  if with_docs and ttl >= 0 then
    set_document(key, ARGV[8], rows, at)
    if ttl > 0 then redis.call('PEXPIREAT', key, now + ttl) elseif may_expire then redis.call('PERSIST', key) end
    has_docs, loose = true, loose or found == 0
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
local function write_plain(id, value)
  seq = seq + 1
  local n = #ids + 1
  ids[n] = id
  scores[2 * n - 1], scores[2 * n] = seq, id
  pairs_to_set[2 * n - 1], pairs_to_set[2 * n] = prefix .. id, value
  if n == 500 then flush() end
end
local function write(id, value, ttl, stats)
  flush()
  local key = prefix .. id
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

local reply, row, written = {epoch, seq + 1}, 1, false
for call, size in ipairs(sizes) do
  local wanted, misfit, marks, founds = dims, false, {}, {}
  for e = 1, size do
    local mark = rows[row + stride * (e - 1) + 2]
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
        for _, each in ipairs({call, wanted, found, e}) do reply[#reply + 1] = each end
        misfit = true
        break
      end
    end
  end
  if not misfit then
    dims, written = wanted, true
    for e = 1, size do
      local place, mark = row + stride * (e - 1), marks[e]
      local id, value = rows[place], rows[place + 1]
      if mark then write(id, value, mark[1], mark[2]) else write_plain(id, value) end
      if with_docs or has_docs then write_document(id, founds[e], place + 3, mark and mark[1] or 0) end
    end
  end
  row = row + stride * size
end
flush()
if written then
  redis.call('HSET', meta, 'epoch', epoch, 'seq', seq)
  if dims then redis.call('HSET', meta, 'dims', dims) end
  if has_docs then redis.call('HSET', meta, 'docs', 1) end
  if loose then redis.call('HSET', meta, 'loose', 1) end
  if with_docs then
    redis.call('HINCRBY', meta, 'texts', #rows / stride)
    redis.call('HINCRBY', meta, 'words', ARGV[9])
  else
    redis.call('HSET', meta, 'plain', seq)
  end
  trim()
end
return reply
""",
)
"""ARGV: an epoch for a new namespace, the entries' key prefix, 1 to fill the search index, the two parts of
``Space.documents``, the number of entries of each call, then for all entries their id, value and mark, and the values
of their document if the index is filled; the namespace as its documents name it, and how many words the texts have.
A mark is ``dims [ttl [count time]]``: ttl in milliseconds, 0 for none, -1 for over. Entries that neither expire nor
were accessed go in few commands, 500 at a time, which is what Lua can take.
Returns the epoch, the number of the first change, then ``call (from 1), dims held, dims given, position`` for each
call that does not fit and of which nothing was written. Every other entry took the next number."""

DELETE = _script(
    _KEYS,
    _BURY,
    """
local prefix, head, tail = ARGV[1], ARGV[2], ARGV[3]
local sizes, ids = cmsgpack.unpack(ARGV[4]), cmsgpack.unpack(ARGV[5])
local state = redis.call('HMGET', meta, 'docs', 'loose', 'dims')
local function unlink_documents(id)
  if state[1] and state[3] then redis.call('UNLINK', head .. state[3] .. tail .. id) end
  if state[2] then redis.call('UNLINK', head .. '0' .. tail .. id) end
end
local start = tonumber(redis.call('HGET', meta, 'seq') or 0)
local seq, counts, done = start, {}, 0
for call, size in ipairs(sizes) do
  local first, count = seq + 1, 0
  for e = done + 1, done + size do
    local id = ids[e]
    local there = redis.call('UNLINK', prefix .. id)
    count = count + there
    unlink_documents(id)
    if there == 1 or redis.call('ZSCORE', index, id) then
      seq = seq + 1
      bury(id, seq)
    end
  end
  counts[call] = string.format('%.0f %.0f %d', first, seq, count)
  done = done + size
end
if seq > start then
  redis.call('HSET', meta, 'seq', seq)
  trim()
end
return {redis.call('HGET', meta, 'epoch') or '', table.concat(counts, ' ')}
""",
)
"""ARGV: the entries' key prefix, the two parts of ``Space.documents``, the number of entries of each call, the ids.
Returns the epoch, then for each call in one string the numbers of its first and last change (last < first for none)
and how many entries were there."""

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

FILL = _script(
    _KEYS,
    _DOCUMENT,
    """
if redis.call('HGET', meta, 'epoch') ~= ARGV[1] then return 0 end
local prefix, head, tail, rows = ARGV[3], ARGV[4], ARGV[5], cmsgpack.unpack(ARGV[6])
for place = 1, #rows, 10 do
  local id, ttl, dims = rows[place], redis.call('PTTL', prefix .. rows[place]), rows[place + 2]
  if redis.call('ZSCORE', index, id) == rows[place + 1] and ttl ~= -2 then
    local key = head .. dims .. tail .. id
    set_document(key, ARGV[7], rows, place + 3)
    if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
    if dims == '0' then redis.call('HSET', meta, 'loose', 1) end
  end
end
if #rows > 0 then redis.call('HSET', meta, 'docs', 1) end
redis.call('HINCRBY', meta, 'texts', #rows / 10)
redis.call('HINCRBY', meta, 'words', ARGV[8])
redis.call('HSET', meta, 'filled', ARGV[2])
return 1
""",
)
"""ARGV: the epoch, the number up to which all is indexed when this is done, the entries' key prefix, the two parts of
``Space.documents``, then id, number, dimensions and the values of the document of entries that were written without
one, the namespace as its documents name it, and how many words the texts have. Those written again meanwhile are
passed over. Returns 0 where the namespace was cleared."""

CLEAR = _script(
    _KEYS,
    """
local ids = redis.call('ZRANGE', index, 0, -1)
local state = redis.call('HMGET', meta, 'docs', 'loose', 'dims')
local prefixes = {ARGV[1]}
if state[1] and state[3] then prefixes[#prefixes + 1] = ARGV[2] .. state[3] .. ARGV[3] end
if state[2] then prefixes[#prefixes + 1] = ARGV[2] .. '0' .. ARGV[3] end
for start = 1, #ids, 1000 do
  for _, prefix in ipairs(prefixes) do
    local keys = {}
    for place = start, math.min(start + 999, #ids) do keys[#keys + 1] = prefix .. ids[place] end
    redis.call('UNLINK', unpack(keys))
  end
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

NOW = _script(
    """
local now = redis.call('TIME')
return now[1] * 1000000 + now[2]
""",
)
"""Returns the server's time in microseconds, which a double holds exactly until the year 2255."""

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
  for place, id in ipairs(cmsgpack.unpack(ARGV[1])) do
    local stats = redis.call('HGET', access, id)
    if stats then found[#found + 1] = (place - 1) .. ' ' .. stats end
  end
end
return table.concat(found, ' ')
""",
)
"""ARGV: ids. Returns ``position count time`` of each that was accessed; most were not."""


def nearest(index: str) -> bytes:
    """Build the script that searches one index, and reads in the same step what it found.

    Its name in the server's memory of scripts stands for "this index is complete": it is put there only then, and is
    forgotten when the server restarts and builds its indexes anew.

    ARGV: the dimensions of the query, the length of the key prefix of documents, the entries' key prefix, then what
    ``FT.SEARCH`` takes behind the name. Returns the dimensions of the namespace, whether all of it is indexed, the
    distances, then, packed, id, value and statistics of each entry found, empty where missing.
    """
    return _script(
        _KEYS,
        f"local index_name = '{index}'",
        """
local state = redis.call('HMGET', meta, 'dims', 'plain', 'filled')
local whole = tonumber(state[2] or 0) <= tonumber(state[3] or 0)
local reply = {state[1] or '0', whole and 1 or 0, '', ''}
if state[1] ~= ARGV[1] or not whole then return reply end
local found = redis.call('FT.SEARCH', index_name, unpack(ARGV, 4))
local scores, rows, skip = {}, {}, tonumber(ARGV[2]) + 1
local counted = redis.call('EXISTS', access) == 1
for place = 2, #found, 2 do
  local id = string.sub(found[place], skip)
  scores[#scores + 1] = found[place + 1][2]
  rows[#rows + 1] = id
  rows[#rows + 1] = redis.call('GET', ARGV[3] .. id) or ''
  rows[#rows + 1] = counted and redis.call('HGET', access, id) or ''
end
if #rows > 0 then reply[3], reply[4] = table.concat(scores, ' '), cmsgpack.pack(rows) end
return reply
""",
    )


def matching(index: str) -> bytes:
    """Build the script that finds the texts in one index that hold any of some words; see :func:`nearest`.

    ARGV: the dimensions that the index is for, the query, its tokens, how many to return, the milliseconds it may
    take, the two parts of ``Space.documents``. Returns the dimensions of the namespace, whether all of it is
    indexed, its entries, the texts and words indexed so far, for each token how many hold it, then of the best their
    times of expiry and, one line each, their tokens, then their ids.
    """
    return _script(
        _KEYS,
        f"local index_name = '{index}'",
        """
local state = redis.call('HMGET', meta, 'dims', 'plain', 'filled', 'texts', 'words')
local whole = tonumber(state[2] or 0) <= tonumber(state[3] or 0)
local frequencies = {}
local expiries, texts = {}, {}
local reply = {
  state[1] or '0', whole and 1 or 0, redis.call('ZCARD', index), state[4] or 0, state[5] or 0, '', '', ''
}
if reply[1] ~= ARGV[1] or not whole then return reply end
for place, token in ipairs(cmsgpack.unpack(ARGV[3])) do
  local one = redis.call('FT.SEARCH', index_name, '@w:' .. token, 'LIMIT', 0, 0, 'TIMEOUT', ARGV[5], 'DIALECT', 2)
  frequencies[place] = one[1]
end
reply[6] = table.concat(frequencies, ' ')
if tonumber(ARGV[4]) == 0 then return reply end
local found = redis.call('FT.SEARCH', index_name, ARGV[2], 'SCORER', 'BM25STD', 'RETURN', 2, 'w', 'expires_at',
  'LIMIT', 0, ARGV[4], 'TIMEOUT', ARGV[5], 'DIALECT', 2)
local with_vector, without = ARGV[6] .. ARGV[1] .. ARGV[7], ARGV[6] .. '0' .. ARGV[7]
for place = 2, #found, 2 do
  local key, fields = found[place], found[place + 1]
  if fields and fields[4] then
    local prefix = string.sub(key, 1, #with_vector) == with_vector and with_vector or without
    local tokens, expires_at = fields[2], fields[4]
    if fields[1] ~= 'w' then tokens, expires_at = expires_at, tokens end
    reply[#reply + 1] = string.sub(key, #prefix + 1)
    expiries[#expiries + 1], texts[#texts + 1] = expires_at, tokens
  end
end
reply[7], reply[8] = table.concat(expiries, ' '), table.concat(texts, '\\n')
return reply
""",
    )
