-- Heavy containers go below light ones, or the ship rolls.
local Stowage = {}

function Stowage.order(containers)
  table.sort(containers, function(a, b) return a.tonnes > b.tonnes end)
  return containers
end

return Stowage
