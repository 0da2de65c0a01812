-- For wrk: asks again what `record.py` kept, each thread, of one connection, the vaults that are its own, in their order:
-- wrk -tN -cN -s mix.lua ENDPOINT -- N FILE
-- Ids that were answered then stand for those that this server makes up in their place, so that what was made is asked for.
local threads = {}

function setup(thread)
  thread:set("mine", #threads)
  threads[#threads + 1] = thread
end

local function owner(head, of)
  local sum = 0
  for byte in (head:match("/vaults/([^/? ]*)") or ""):gmatch(".") do sum = sum + byte:byte() end
  return sum % of
end

local exchanges, ids, next_one = {}, {}, 0
answered, agreed = 0, 0

function init(args)
  local file = assert(io.open(args[2], "rb"))
  for length, status, id in function()
    local line = file:read("*l")
    if line then return line:match("(%d+) (%d+) (%S+)") end
  end do
    local request = file:read(tonumber(length))
    local ends = select(2, request:find("\r\n\r\n", 1, true))
    local head, body = request:sub(1, ends), request:sub(ends + 1)
    if not mine or owner(head, tonumber(args[1])) == mine then
      exchanges[#exchanges + 1] = { head = head, body = body, status = tonumber(status), id = id }
    end
  end
end

function request()
  next_one = next_one % #exchanges + 1
  local asked = exchanges[next_one]
  local body = #asked.body < 4096 and asked.body:gsub("[%w_-]+", ids) or asked.body
  return asked.head:gsub("[%w_-]+", ids) .. body
end

function response(status, headers)
  local asked = exchanges[next_one]
  if not asked then return end
  answered = answered + 1
  if status == asked.status then agreed = agreed + 1 end
  if asked.id == "-" then return end
  for name, value in pairs(headers) do
    if name:lower():match("^x%-amz%-%a+%-?%a*%-id$") then ids[asked.id] = value end
  end
end

function done()
  local all, same = 0, 0
  for _, thread in ipairs(threads) do
    all, same = all + thread:get("answered"), same + thread:get("agreed")
  end
  print(("%d of %d answered as before"):format(same, all))
end
