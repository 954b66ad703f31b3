"""A host in Python: NumPy's arrays and facula's tensors are the same memory, whoever made them.

    python3 main.py        with libfacula where the loader finds it, or its path in FACULA_LIBRARY
"""
import gc

import numpy as np

import facula

lua = facula.State()
lua.run("""
kept = {}
function keep(x) kept[#kept + 1] = x end
function grow() kept[1]:mul_(10) end
function make() made = torch.arange(6):reshape(2, 3):to(torch.float32) return made end
function sum(x) return x:sum():item() end
""")

# NumPy's memory in facula.
a = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
lua.call("keep", a.T)
lua.call("grow")
assert a.tolist() == [[10, 20], [30, 40]], a  # Lua wrote, NumPy reads
a[0, 1] = 5
assert lua.call("sum", a) == 85  # NumPy wrote, Lua reads
print("NumPy -> facula: one memory")

# facula's memory in NumPy.
t = lua.call("make")
b = np.asarray(t)
b[1, 2] = 100
lua.run("assert(made[2][3]:item() == 100) made[1][1] = -1")  # NumPy wrote, Lua reads
assert b[0, 0] == -1  # Lua wrote, NumPy reads
d = np.from_dlpack(t)
assert d.__array_interface__["data"][0] == b.__array_interface__["data"][0]
print("facula -> NumPy: one memory, by the array interface and by DLPack")

# Arrays outlive the interpreter, and tensors the arrays' names.
del t
lua.close()
gc.collect()
assert b.tolist() == [[-1, 1, 2], [3, 4, 100]] and d.tolist() == b.tolist()
assert not facula._lent, "the interpreter is gone, and so is its use of our arrays"

try:
    facula.State().run("error('as it should')")
except facula.Error as error:
    print("errors arrive:", str(error).splitlines()[0])
else:
    raise SystemExit("no error came")
