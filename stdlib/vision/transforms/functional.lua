--- torch.vision.transforms.functional: what transforms do, with the parameters given. Images are (C, H, W) or batches
--- (N, C, H, W). Distances and coordinates are in pixels from the image's upper left corner, so 0 is its edge.

local functional = {}

for _, file in ipairs { "dtype", "geometry", "warp", "colour", "tone" } do
  for name, f in pairs(require("torch.vision.transforms." .. file)) do functional[name] = f end
end

return functional
