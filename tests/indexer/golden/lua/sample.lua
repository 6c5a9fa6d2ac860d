local M = {}

local LIMIT = 3

--- Lights a lamp.
-- @param lamp the lamp
function M.light(lamp)
  if lamp.broken then
    error("broken lamp")
  end
  lamp.on = true
  return lamp
end

local function fill(lamp, oil)
  lamp.oil = (lamp.oil or 0) + oil
  return math.min(lamp.oil, LIMIT)
end

function M:burn(minutes)
  for _ = 1, minutes do
    self.oil = self.oil - 1
  end
end

M.snuff = function(lamp)
  lamp.on = false
end

M.defaults = {
  oil = 1,
  on = false,
}

return M
