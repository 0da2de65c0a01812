-- For wrk: asks again what `record.py` kept, each of eight threads, of one connection, a file of its own, in its order:
-- wrk -t8 -c8 -s mix.lua ENDPOINT -- FILES
-- Ids that were answered then stand for those that this server makes up in their place, so that what was made is asked for.
local threads = {}

function setup(thread)
  thread:set("mine", #threads)
  threads[#threads + 1] = thread
end

local exchanges, ids, next_one = {}, {}, 0
answered, agreed = 0, 0

function init(args)
  local file = assert(io.open(args[1] .. "." .. (mine or 0), "rb"))
  for length, status, id in function()
    local line = file:read("*l")
    if line then return line:match("(%d+) (%d+) (%S+)") end
  end do
    local request = file:read(tonumber(length))
    local ends = select(2, request:find("\r\n\r\n", 1, true))
    exchanges[#exchanges + 1] = { head = request:sub(1, ends), body = request:sub(ends + 1), status = tonumber(status), id = id }
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
