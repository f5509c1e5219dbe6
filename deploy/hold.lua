-- Holds deliveries while none of a backend's servers is ready, so that a restart of n8n does not use up their three tries.
-- Those of one path, which is one conversation, go on in the order in which they came. One that was held as long as Dynamics
-- 365 waits is answered 503; that one, one that failed, and one that was cut off when n8n died, keeps its place until it is
-- tried again.

-- Dynamics 365 waits 10 seconds for an answer, and tries a delivery three times.
local LONGEST_MS = 9000
local TRIES = 3
local STEP_MS = 100
-- How long a place is kept for the next try, and how long an answer is waited for.
local KEPT_MS = 15000
local ANSWER_MS = 60000
-- How long one that n8n has not answered goes ahead of the next: enough for an n8n that just started to take it in.
local AHEAD_MS = 1000
-- A failure is told this long after its try came, so that three tries do not end before a short outage does.
local FAILURE_MS = 4000

-- By path, the places of its deliveries, oldest first. `state` is held, passed (n8n has it) or kept, until `ends`. The last
-- try came at `came`, and n8n got it at `passed`.
local lines = {}

local function now()
	local time = core.now()
	return time.sec * 1000 + time.usec / 1000
end

local function set(place, state, ms)
	place.state, place.ends = state, now() + ms
end

local function leave(path, place)
	local line = lines[path] or {}
	for index = #line, 1, -1 do
		if line[index] == place then table.remove(line, index) end
	end
	if #line == 0 then lines[path] = nil end
end

-- Keeps the place of a delivery that is to be tried again.
local function keep(path, place)
	if place.tries < TRIES then set(place, "kept", KEPT_MS) else leave(path, place) end
end

-- Removes what has ended. Where no server is left, what n8n had is cut off.
local function tidy(is_ready)
	for path, line in pairs(lines) do
		for index = #line, 1, -1 do
			local place = line[index]
			if place.state ~= "held" and place.ends < now() then
				leave(path, place)
			elseif place.state == "passed" and not is_ready then
				keep(path, place)
			end
		end
	end
end

-- The place that this delivery has from an earlier try, or a new one behind the others.
local function take_place(path, delivery)
	lines[path] = lines[path] or {}
	for _, place in ipairs(lines[path]) do
		if place.state ~= "held" and place.delivery == delivery then return place end
	end
	local place = { delivery = delivery, tries = 0 }
	table.insert(lines[path], place)
	return place
end

local function is_first(path, place)
	for _, other in ipairs(lines[path]) do
		if other == place then return true end
		if other.state ~= "passed" or now() < other.passed + AHEAD_MS then return false end
	end
	return true
end

-- The conversation's path. A reply to an activity is posted below it, with that activity's id.
local function conversation_path(path)
	return (path:gsub("(/activities)/[^/]+/?$", "%1"))
end

core.register_action("hold_until_ready", { "http-req" }, function(txn, backend)
	local is_ready = function() return tonumber(txn.f:nbsrv(backend)) > 0 end
	tidy(is_ready())
	local path = conversation_path(txn.f:path())
	local place = take_place(path, txn.c:xxh64(txn.f:req_body()))
	place.tries, place.came = place.tries + 1, now()
	set(place, "held", LONGEST_MS)
	while now() < place.ends do
		if is_ready() and is_first(path, place) then
			set(place, "passed", ANSWER_MS)
			place.passed = now()
			txn:set_priv({ path = path, place = place })
			return
		end
		core.msleep(STEP_MS)
		tidy(is_ready())
	end
	keep(path, place)
	txn:done(txn:reply({ status = 503 }))
end, 1)

core.register_action("note_answer", { "http-res" }, function(txn)
	local passed = txn:get_priv()
	if not passed then return end
	local path, place = passed.path, passed.place
	-- While it stops, n8n has given up its webhooks and answers 404.
	local is_away = txn.f:status() == 404
	if txn.f:status() < 500 and not is_away then return leave(path, place) end
	keep(path, place)
	core.msleep(math.max(0, math.floor(place.came + FAILURE_MS - now())))
	if place.state == "kept" then set(place, "kept", KEPT_MS) end
end)
