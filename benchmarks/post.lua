-- wrk's script: POST the file named by the first argument, each call for another patient and under another
-- hookInstance. The second argument is the number of the run, the third how many threads there are, the fourth may name
-- a file with one token a line, of which each thread takes a part of its own and each call the next.

local PATIENT = "case%-patient"
local MARK = "000000000000" -- the end of the hookInstance
local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

local function read(path)
   local file = assert(io.open(path, "rb"))
   local content = file:read("*a")
   file:close()
   return content
end

local function split(content)
   local parts, from = {}, 1
   while true do
      local first, last = content:find(MARK, from, true)
      if not first then break end
      table.insert(parts, content:sub(from, first - 1))
      from = last + 1
   end
   table.insert(parts, content:sub(from))
   return parts
end

local function own_part(path)
   local tokens, line = {}, 0
   for token in io.lines(path) do
      if line % shared == number then table.insert(tokens, token) end
      line = line + 1
   end
   return tokens
end

function init(arguments)
   parts = split((read(arguments[1]):gsub(PATIENT, MARK)))
   run, shared = tonumber(arguments[2]), tonumber(arguments[3])
   tokens = nil
   if arguments[4] and arguments[4] ~= "" then tokens = own_part(arguments[4]) end
   calls = 0
   wrong = 0
end

function request()
   calls = calls + 1
   local mark = string.format("%04x%08x", run, calls * shared + number)
   local headers = {["Content-Type"] = "application/json"}
   if tokens then headers["Authorization"] = "Bearer " .. (tokens[calls] or "spent") end
   return wrk.format("POST", nil, headers, table.concat(parts, mark))
end

function response(status, headers, body)
   if status ~= 200 or not body:find('"summary"', 1, true) then wrong = wrong + 1 end
end

function done(summary, latency)
   local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
   for _, thread in ipairs(threads) do failed = failed + thread:get("wrong") end
   io.write(string.format("SUMMARY %d %d %d %d %d\n", summary.requests, summary.duration, failed,
      latency:percentile(50), latency:percentile(99)))
end
