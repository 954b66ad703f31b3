"""facula in Python, by ctypes: an interpreter, and tensors that share memory with NumPy's arrays both ways.

    lua = facula.State()
    lua.run("function twice(x) return x:mul_(2) end")
    a = numpy.arange(3.0)
    b = lua.call("twice", a)           # a is changed: the script works on its memory
    numpy.asarray(b)[0] = 7            # so is b's, and a's
"""
import ctypes as c
import os

import numpy as np

_library = c.CDLL(os.environ.get("FACULA_LIBRARY", "libfacula.so.0"))
_DTYPES = [np.dtype(t) if t else None for t in ("bool", "u1", "i1", "i2", "i4", "i8", "f2", None, "f4", "f8", "c8", "c16")]
_NIL, _BOOLEAN, _NUMBER, _INTEGER, _STRING, _TENSOR, _REFERENCE = range(7)


class _View(c.Structure):
    _fields_ = [("size", c.c_size_t), ("data", c.c_void_p), ("dtype", c.c_int), ("dim", c.c_int),
                ("sizes", c.POINTER(c.c_int64)), ("strides", c.POINTER(c.c_int64))]


class _String(c.Structure):
    _fields_ = [("bytes", c.c_void_p), ("length", c.c_size_t)]


class _As(c.Union):
    _fields_ = [("boolean", c.c_int), ("number", c.c_double), ("integer", c.c_int64), ("string", _String),
                ("handle", c.c_void_p)]


class _Value(c.Structure):
    _fields_ = [("type", c.c_int), ("of", _As)]


_Done = c.CFUNCTYPE(None, c.c_void_p)
_P = c.c_void_p
for _name, _result, _arguments in [
        ("facula_abi_version", c.c_int, []), ("facula_open", c.c_int, [_P, _P]), ("facula_close", None, [_P]),
        ("facula_message", c.c_char_p, [_P]), ("facula_traceback", c.c_char_p, [_P]),
        ("facula_run_buffer", c.c_int, [_P, c.c_char_p, c.c_size_t, c.c_char_p]),
        ("facula_call_values", c.c_int, [_P, c.c_char_p, _P, c.c_size_t, _P, c.c_size_t]),
        ("facula_get", c.c_int, [_P, c.c_char_p, _P]), ("facula_set", c.c_int, [_P, c.c_char_p, _P]),
        ("facula_value_release", None, [_P]), ("facula_interrupt", c.c_int, [_P]),
        ("facula_tensor_wrap", c.c_int, [_P, _P, _Done, _P, _P]), ("facula_tensor_view", c.c_int, [_P, _P]),
        ("facula_tensor_release", None, [_P]), ("facula_tensor_to_dlpack", c.c_int, [_P, _P, _P])]:
    getattr(_library, _name).restype = _result
    getattr(_library, _name).argtypes = _arguments
if _library.facula_abi_version() != 0:
    raise ImportError("libfacula has another ABI than this module")

_lent = {}  # arrays whose memory facula uses, by the number that it gives back with it


@_Done
def _give_back(number):
    del _lent[number]


class Error(Exception):
    """What a script, an operator or a call did wrong."""


class Tensor:
    """A reference to a tensor. numpy.asarray and numpy.from_dlpack share its memory and keep it alive."""

    def __init__(self, handle, state):
        self._handle, self._state = handle, state
        self._view = _View(size=c.sizeof(_View))
        _library.facula_tensor_view(handle, c.byref(self._view))

    def __del__(self):
        _library.facula_tensor_release(self._handle)

    @property
    def __array_interface__(self):
        v = self._view
        dtype = _DTYPES[v.dtype]
        if dtype is None:
            raise TypeError("NumPy has no bfloat16")
        return {"version": 3, "typestr": dtype.str, "data": (v.data or 0, False), "shape": tuple(v.sizes[:v.dim]),
                "strides": tuple(s * dtype.itemsize for s in v.strides[:v.dim])}

    def __dlpack__(self, stream=None):
        managed = c.c_void_p()
        self._state._check(_library.facula_tensor_to_dlpack(self._state._S, self._handle, c.byref(managed)))
        return _capsule(managed.value, b"dltensor", _delete_unused)

    def __dlpack_device__(self):
        return 1, 0


class State:
    """An interpreter."""

    def __init__(self):
        self._S = c.c_void_p()
        if _library.facula_open(None, c.byref(self._S)) != 0:
            raise Error(_library.facula_message(None).decode())

    def close(self):
        """Closes it; tensors outlive it."""
        _library.facula_close(self._S)
        self._S = c.c_void_p()

    def run(self, code, name="=python"):
        """Runs Lua code."""
        text = code.encode()
        self._check(_library.facula_run_buffer(self._S, text, len(text), name.encode()))

    def call(self, name, *arguments):
        """The first result of a Lua function or operator. Arrays go in without a copy."""
        values = (_Value * len(arguments))()
        kept = [self._fill(value, argument) for value, argument in zip(values, arguments)]
        out = _Value()
        self._check(_library.facula_call_values(self._S, name.encode(), values, len(values), c.byref(out), 1))
        del kept
        return self._taken(out)

    def tensor(self, array):
        """A tensor over the array's memory, which stays as long as either is used."""
        array = np.asarray(array)
        if array.dtype not in _DTYPES or not array.flags.writeable or not array.dtype.isnative:
            raise TypeError(f"expected a writable array of numbers, got {array.dtype}")
        if any(s < 0 or s % array.itemsize for s in array.strides):
            raise ValueError(f"strides {array.strides} cannot be shared: copy the array first")
        lists = c.c_int64 * max(array.ndim, 1)
        view = _View(c.sizeof(_View), array.ctypes.data, _DTYPES.index(array.dtype), array.ndim, lists(*array.shape),
                     lists(*(s // array.itemsize for s in array.strides)))
        number, handle = id(array), c.c_void_p()
        while number in _lent:
            number += 1
        _lent[number] = array
        status = _library.facula_tensor_wrap(self._S, c.byref(view), _give_back, number, c.byref(handle))
        if status != 0:
            del _lent[number]
            self._check(status)
        return Tensor(handle.value, self)

    def _fill(self, value, v):
        """Puts `v` into a value and returns what must stay until the call is over."""
        if isinstance(v, bool):
            value.type, value.of.boolean = _BOOLEAN, v
        elif isinstance(v, (int, float)):
            value.type, value.of.number = _NUMBER, v
        elif isinstance(v, str):
            text = c.create_string_buffer(v.encode())
            value.type, value.of.string = _STRING, _String(c.addressof(text), len(text) - 1)
            return text
        elif v is not None:
            t = v if isinstance(v, Tensor) else self.tensor(v)
            value.type, value.of.handle = _TENSOR, t._handle
            return t
        return None

    def _taken(self, value):
        if value.type == _TENSOR:
            return Tensor(value.of.handle, self)
        result = {_BOOLEAN: lambda: bool(value.of.boolean), _NUMBER: lambda: value.of.number,
                  _INTEGER: lambda: value.of.integer,
                  _STRING: lambda: c.string_at(value.of.string.bytes, value.of.string.length).decode()}
        taken = result.get(value.type, lambda: None)()
        _library.facula_value_release(c.byref(value))
        return taken

    def _check(self, status):
        if status != 0:
            raise Error((_library.facula_message(self._S) + _library.facula_traceback(self._S)).decode())


# ---- DLPack's capsules

_capsule = c.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]
_is_valid, _pointer = c.pythonapi.PyCapsule_IsValid, c.pythonapi.PyCapsule_GetPointer
_is_valid.restype, _is_valid.argtypes = c.c_int, [c.c_void_p, c.c_char_p]
_pointer.restype, _pointer.argtypes = c.c_void_p, [c.c_void_p, c.c_char_p]


class _Managed(c.Structure):
    _fields_ = [("tensor", c.c_char * 48), ("context", c.c_void_p), ("deleter", c.CFUNCTYPE(None, c.c_void_p))]


@c.PYFUNCTYPE(None, c.c_void_p)
def _delete(capsule):
    """Nobody took the tensor: whoever does renames the capsule."""
    if _is_valid(capsule, b"dltensor"):
        managed = _pointer(capsule, b"dltensor")
        _Managed.from_address(managed).deleter(managed)


_delete_unused = c.cast(_delete, c.c_void_p)
