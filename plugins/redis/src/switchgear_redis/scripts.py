"""What runs inside the server, so that nothing comes between a look at an account and the change to it.

Keys, behind the prefix: `spent:<account>`, a hash `leases:<account>` of holders, and `id:<attempt>`. An amount is
written `units:billionths`, the units rounded down: Lua's numbers are floats, exact up to 2^53.
"""

_AMOUNTS = """
local prefix = ARGV[1]
local ZERO = {0, 0}
local YEAR = 400 * 86400
local function read(text)
    local units, rest = string.match(text, '^(%-?%d+):(%d+)')
    return {tonumber(units), tonumber(rest)}
end
local function write(a) return string.format('%.0f:%.0f', a[1] + 0, a[2]) end
local function add(a, b)
    local rest = a[2] + b[2]
    if rest >= 1e9 then return {a[1] + b[1] + 1, rest - 1e9} end
    return {a[1] + b[1], rest}
end
local function minus(a)
    if a[2] == 0 then return {-a[1], 0} end
    return {-a[1] - 1, 1e9 - a[2]}
end
local function less(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end
local function spent(account) return read(redis.call('GET', prefix .. 'spent:' .. account) or '0:0') end
local function shrink(account, holder, amount)
    local key = prefix .. 'leases:' .. account
    local known = redis.call('HGET', key, holder)
    if known then
        local left = add(read(known), minus(amount))
        if less(left, ZERO) then left = ZERO end
        redis.call('HSET', key, holder, write(left) .. ':' .. string.match(known, '(%d+)$'))
    end
end
"""

# prefix, seconds to remember it, id, charge, amount, holder, accounts ...
RECORD = (
    _AMOUNTS
    + """
local key, charge, amount, holder = prefix .. 'id:' .. ARGV[3], ARGV[4], read(ARGV[5]), ARGV[6]
local before, had = ZERO, {}
local found = redis.call('GET', key)
if found then
    local known = cmsgpack.unpack(found)
    if charge == 'in_doubt' and known.charge ~= 'in_doubt' then return 0 end
    before = read(known.amount)
    for _, account in ipairs(known.accounts) do
        had[account] = true
        redis.call('SET', prefix .. 'spent:' .. account, write(add(spent(account), minus(before))), 'EX', YEAR)
    end
end
local accounts = {}
for number = 7, #ARGV do
    local account = ARGV[number]
    accounts[#accounts + 1] = account
    redis.call('SET', prefix .. 'spent:' .. account, write(add(spent(account), amount)), 'EX', YEAR)
    local more = had[account] and add(amount, minus(before)) or amount
    if less(ZERO, more) then shrink(account, holder, more) end
end
local known = cmsgpack.pack({charge = charge, amount = ARGV[5], accounts = accounts})
redis.call('SET', key, known, 'EX', ARGV[2])
return 1
"""
)

# prefix, account, holder, limit, want, need, now, until
LEASE = (
    _AMOUNTS
    + """
local account, holder = ARGV[2], ARGV[3]
local limit, want, need, now, till = read(ARGV[4]), read(ARGV[5]), read(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local key, own, elsewhere = prefix .. 'leases:' .. account, ZERO, ZERO
local all = redis.call('HGETALL', key)
for number = 1, #all, 2 do
    local amount, ends = read(all[number + 1]), tonumber(string.match(all[number + 1], '(%d+)$'))
    if ends <= now then
        redis.call('HDEL', key, all[number])
    elseif all[number] == holder then
        own = amount
        if ends > till then till = ends end
    else
        elsewhere = add(elsewhere, amount)
    end
end
local paid = spent(account)
local left = add(limit, minus(add(paid, add(own, elsewhere))))
local granted = ZERO
if not less(left, want) then granted = want elseif not less(left, need) then granted = need end
local mine = add(own, granted)
if less(ZERO, mine) then
    redis.call('HSET', key, holder, write(mine) .. ':' .. string.format('%.0f', till))
    redis.call('EXPIRE', key, YEAR)
end
return {write(granted), write(add(left, minus(granted))), write(elsewhere), write(paid)}
"""
)

# prefix, account, holder, amount
GIVE_BACK = (
    _AMOUNTS
    + """
shrink(ARGV[2], ARGV[3], read(ARGV[4]))
return 1
"""
)
