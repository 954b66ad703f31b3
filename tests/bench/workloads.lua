--- Files of workloads and their rows: `{ name, goal, what, bytes=, operations= }`. `goal` bounds facula's time over
--- PyTorch's; `bytes` are read and written, `operations` done, by one call. Rows of a file with `alone` run in
--- processes of their own, whose memory counts. `megabytes` and `seconds` bound facula's own figures.
local floats = 4e7 -- bytes of ten million

local function products()
  local rows = {}
  for _, n in ipairs { 64, 256, 1024, 2048 } do
    rows[#rows + 1] = { "mm_" .. n, 1, ("matrices of %d x %d"):format(n, n), operations = 2 * n ^ 3 }
    rows[#rows + 1] = { "mm64_" .. n, 1, "the same in float64", operations = 2 * n ^ 3, double = true }
  end
  rows[#rows + 1] = { "mm_layer", 1, "(64, 784) x (784, 256)", operations = 2 * 64 * 784 * 256 }
  rows[#rows + 1] = { "bmm", 1, "64 products of 64 x 64", operations = 2 * 64 ^ 4 }
  rows[#rows + 1] = { "mv", 1, "4096 x 4096 by a vector", bytes = 4 * 4096 ^ 2 }
  rows[#rows + 1] = { "mm_bfloat16", 1, "1024 x 1024 in bfloat16", operations = 2 * 1024 ^ 3 }
  return rows
end

local function reductions()
  local rows = {}
  for _, name in ipairs { "sum", "mean", "var", "amax" } do
    for dim = 1, 3 do
      local what = ("%s over dimension %d of (200, 250, 200)"):format(name, dim)
      rows[#rows + 1] = { name .. dim, 1, what, bytes = floats }
    end
  end
  return rows
end

local function joined(...)
  local all = {}
  for _, rows in ipairs { ... } do
    for _, row in ipairs(rows) do all[#all + 1] = row end
  end
  return all
end

local function at(goal, names)
  local rows = {}
  for _, name in ipairs(names) do rows[#rows + 1] = { name, goal, name } end
  return rows
end

return {
  { file = "overhead", rows = {
    { "add", 0.25, "a + b on 4 floats" },
    { "add_recorded", 0.30, "the same, recorded" },
    { "chain", 0.30, "20 operators on 64 floats" },
    { "backward", 0.30, "(w * b):sum():backward() on 4 floats" },
    { "row", 0.30, "x[i], a view" },
    { "linear", 0.30, "Linear(16, 16), batch 1, there and back" },
  } },
  { file = "memory", rows = joined({
    { "add", 0.5, "a + b", bytes = 3 * floats },
    { "mul", 0.5, "a * b", bytes = 3 * floats },
    { "relu", 0.5, "relu", bytes = 2 * floats },
    { "add_row", 0.8, "a matrix and a row", bytes = 2 * floats },
    { "add_column", 0.8, "a matrix and a column", bytes = 2 * floats },
    { "transposed", 0.8, "a copy of the transposed", bytes = 2 * floats },
    { "strided", 0.8, "every second column", bytes = 3 * floats },
    { "cat", 0.8, "two halves", bytes = 2 * floats },
    { "index_select", 0.8, "rows", bytes = 2 * floats },
    { "gather", 0.8, "elements, at random", bytes = 4 * floats },
    { "masked_select", 0.8, "half of the elements", bytes = 1.75 * floats },
    { "cumsum", 0.8, "cumsum", bytes = 2 * floats },
  }, reductions(), {
    { "add_half", 0.8, "float16", bytes = 1.5 * floats },
    { "add_bfloat16", 0.8, "bfloat16", bytes = 1.5 * floats },
  }) },
  { file = "maths", rows = at(0.6, { "exp", "log", "tanh", "sigmoid", "erf", "sin", "gelu", "pow" }) },
  { file = "norms", rows = at(0.8, { "softmax_1000", "log_softmax_1000", "layer_norm_1000", "cross_entropy_1000",
    "softmax_4096", "log_softmax_4096", "layer_norm_4096", "cross_entropy_4096", "batch_norm" }) },
  { file = "order", rows = at(0.7, { "sort", "sort_rows", "topk", "argmax", "unique", "randn", "bernoulli",
    "multinomial", "one_hot", "embedding" }) },
  { file = "matrices", rows = products() },
  { file = "convolutions", rows = at(1, { "conv_1_32", "conv_32_64", "conv_64_64", "conv_256_256", "depthwise",
    "conv_1x1", "conv1d", "transposed", "max_pool", "avg_pool" }) },
  { file = "training", alone = true, rows = {
    { "mlp", 0.5, "784-256-10, batch 64, Adam" },
    { "cnn", 0.6, "conv32-conv64-fc128, batch 64 of 28 x 28, Adam" },
    { "lstm", 0.6, "LSTM 128 to 256, two layers, batch 32, length 64, Adam" },
    { "gpt", 0.5, "4 layers, 4 heads, 128 wide, context 64, batch 12, AdamW, clipping" },
    { "resnet18", 1, "batch 8 at 3 x 224 x 224" },
    { "resnet18_inference", 0.9, "one picture" },
  } },
  { file = "loader", rows = {
    { "loader_0", 0.3, "6,400 digits, batches of 64, no workers" },
    { "loader_2", 0.3, "the same, two workers" },
    { "samples_0", nil, "the same sample by sample, no workers" },
    { "samples_2", nil, "sample by sample, two workers" },
  } },
  { file = "augmentation", lua_only = true, rows = {
    { "digits_crop", nil, "20,000 digits cropped and mirrored, two workers", seconds = 1 },
    { "digits_turn", nil, "the same, turned instead", seconds = 1 },
  } },
  { file = "temporaries", alone = true, lua_only = true, rows = {
    { "temporary", nil, "a hundred temporaries of 40 MB", megabytes = 400 },
  } },
}
