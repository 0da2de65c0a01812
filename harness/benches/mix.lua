-- For wrk: asks again, in their order, the requests that `record.py` kept: wrk -s mix.lua ENDPOINT -- FILE
local requests, next_one = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for length in function() return file:read("*l") end do
    requests[#requests + 1] = file:read(tonumber(length))
  end
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
