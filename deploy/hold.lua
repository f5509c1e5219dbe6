-- Holds deliveries while none of a backend's servers is ready, so that a restart of n8n does not use up their three tries.
-- Those of one path, which is one conversation, go on in the order in which they came. One that was held as long as Dynamics
-- 365 waits is answered 503, and keeps its place ahead of those behind it until it is tried again.

-- Dynamics 365 waits 10 seconds for an answer.
local LONGEST_MS = 9000
local STEP_MS = 100
-- How long a place is kept for the next try, and how many tries there are.
local KEPT_MS = 5000
local TRIES = 3

-- By path: the deliveries that are held, and the places that are kept, oldest first.
local lines = {}

local function now()
	local time = core.now()
	return time.sec * 1000 + time.usec / 1000
end

local function remove_expired(path)
	local line = lines[path]
	if not line then return end
	for index = #line, 1, -1 do
		if line[index].kept_until and line[index].kept_until < now() then table.remove(line, index) end
	end
	if #line == 0 then lines[path] = nil end
end

-- The place that was kept for this delivery, or a new one behind the others.
local function take_place(path, delivery)
	lines[path] = lines[path] or {}
	for _, place in ipairs(lines[path]) do
		if place.kept_until and place.delivery == delivery then
			place.kept_until = nil
			return place
		end
	end
	local place = { delivery = delivery, tries = 0 }
	table.insert(lines[path], place)
	return place
end

local function leave(path, place)
	for index, other in ipairs(lines[path] or {}) do
		if other == place then table.remove(lines[path], index) break end
	end
	remove_expired(path)
	if lines[path] and #lines[path] == 0 then lines[path] = nil end
end

core.register_action("hold_until_ready", { "http-req" }, function(txn, backend)
	local is_ready = function() return tonumber(txn.f:nbsrv(backend)) > 0 end
	for path in pairs(lines) do remove_expired(path) end
	local path = txn.f:path()
	if not lines[path] and is_ready() then return end

	local place = take_place(path, txn.c:xxh64(txn.f:req_body()))
	place.tries = place.tries + 1
	local held_until = now() + LONGEST_MS
	while now() < held_until do
		remove_expired(path)
		if lines[path][1] == place and is_ready() then
			leave(path, place)
			return
		end
		core.msleep(STEP_MS)
	end
	if place.tries < TRIES then place.kept_until = now() + KEPT_MS else leave(path, place) end
	txn:done(txn:reply({ status = 503 }))
end, 1)
