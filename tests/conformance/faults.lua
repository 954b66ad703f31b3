-- Cases whose expected values are wrong, by file and number. Each was found by computing the result by hand.
return {
  -- PyTorch 1.13's dot of complex64 returns 0 where its BLAS hands complex results back another way.
  ["dot.lua"] = {6, 7}, ["vdot.lua"] = {6, 7}, ["matmul.lua"] = {23},
  -- Its vectorised in-place ne stores 1 + 1i for true, all but the last elements.
  ["ne.lua"] = {20},
  -- Its matrix_exp of bfloat16 reads coefficients of another width: NaN for any matrix but 1 x 1.
  ["matrix_exp.lua"] = {5, 6},
  -- One random draw stands as the expected result.
  ["bernoulli.lua"] = {4},
  -- Likewise; where windows start is drawn.
  ["nn.functional.fractional_max_pool2d.lua"] = {5, 7},
}
