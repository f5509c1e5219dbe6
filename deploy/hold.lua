-- Holds a request while none of a backend's servers is ready, so that a restart of n8n costs a delivery none of its tries.
-- Dynamics 365 waits 10 seconds for an answer; what is left of them is for the workflow.
local LONGEST_MS = 8000
local STEP_MS = 100

core.register_action("hold_until_ready", { "http-req" }, function(txn, backend)
	local waited = 0
	while tonumber(txn.f:nbsrv(backend)) == 0 and waited < LONGEST_MS do
		core.msleep(STEP_MS)
		waited = waited + STEP_MS
	end
end, 1)
