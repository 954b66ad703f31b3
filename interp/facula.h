/**
 * facula.h: the tensor language facula in a host written in C or C++.
 *
 *     facula_state *S;
 *     if (facula_open(NULL, &S) != FACULA_OK) return complain(facula_message(NULL));
 *     if (facula_run_file(S, "model.lua") != FACULA_OK) complain(facula_message(S));
 *     facula_call(S, "predict", &input, 1, &output, 1);
 *     facula_close(S);
 *
 * Rules that hold for every function:
 *
 * - What comes out through `out` belongs to the caller and is released by the function named with it; what goes in is
 *   borrowed and may be released after the call. On failure nothing comes out: `*out` is NULL, or nil.
 * - Failures are codes, with a text from facula_message. No exception, no signal, no `exit` and no printing crosses this
 *   line. NULL, a handle of another kind, a released one or a closed state are FACULA_INVALID, not a crash. (That is a
 *   help, no guarantee: what was released may have been given out again.)
 * - A state belongs to one thread at a time; any thread may use it after another. States are independent of each other
 *   and may run in different threads at once: each has its own globals, random numbers and defaults. Threads for kernels
 *   and cached memory are shared by the process. Tensors may be read from any thread and released in any.
 * - Dimensions and positions in this header count from 0. Numbers handed to Lua functions and to operators are Lua's: there
 *   dimensions and positions count from 1.
 * - Structures given by the host begin with their size, `sizeof` of what it was compiled with; a zeroed field is its
 *   default. Later versions may add fields at the end.
 * - Texts are UTF-8 and end in a zero byte unless a length is given.
 */
#ifndef FACULA_H
#define FACULA_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FACULA_API __attribute__((visibility("default")))
#else
#define FACULA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What this header describes. A library with the same number works with it; the number is in the library's soname. */
#define FACULA_ABI_VERSION 0

/** The ABI of the library at run time: compare with FACULA_ABI_VERSION after loading it by hand. */
FACULA_API int facula_abi_version(void);
/** The version of facula, such as "0.1.0". */
FACULA_API const char *facula_version(void);

typedef struct facula_state facula_state;         /* one interpreter; one thread at a time */
typedef struct facula_tensor facula_tensor;       /* one counted reference to a tensor */
typedef struct facula_reference facula_reference; /* keeps a Lua value of one state alive */

typedef enum facula_status {
  FACULA_OK = 0,
  FACULA_ERROR = 1,       /* a script or an operator failed */
  FACULA_INVALID = 2,     /* a wrong argument to a function of this header: nothing was done */
  FACULA_NO_MEMORY = 3,   /* memory ran out in Lua's heap or here */
  FACULA_INTERRUPTED = 4, /* facula_interrupt stopped it */
  FACULA_BUSY = 5,        /* another thread is inside the state: nothing was done */
  FACULA_LIMIT = 6        /* the state's time or memory limit was reached */
} facula_status;

/* ---- states ------------------------------------------------------------------------------------------------------------ */

/** Takes text that a script writes; it ends nowhere in particular. Called in the thread that runs the script. */
typedef void (*facula_writer)(void *user, const char *bytes, size_t length);

typedef struct facula_options {
  size_t size; /* sizeof(facula_options) */
  /** Not 0: scripts reach no files but those in `folders`, no other programs, no memory but their own: no io, os (but
   *  clock, time, date), ffi, debug, bytecode or C modules. It guards against accidents and greed; see docs. */
  int sandbox;
  /** Folders whose files scripts in a sandbox may read and write, and how many there are. */
  const char *const *folders;
  size_t folder_count;
  /** Most bytes for Lua's heap and tensors together; 0: no limit. More is an error in the script. */
  size_t max_memory;
  /** Most seconds for one outermost call; 0: no limit. */
  double timeout;
  /** Not 0: facula_interrupt stops every Lua loop, since LuaJIT compiles none. See there. */
  int interruptible;
  /** Threads for kernels, for the whole process: 1 to 1024, 0: as it is (at first all cores). */
  int threads;
  /** Not 0: random numbers start from `seed`, else from the system. */
  int seeded;
  uint64_t seed;
  /** Where print, io.write and io.stdout, and where io.stderr go; NULL: the process's own streams. */
  facula_writer output;
  facula_writer error;
  void *user; /* handed to both */
  /** Most instructions of Lua code for one outermost call; 0: no limit. */
  uint64_t max_instructions;
} facula_options;

/**
 * Opens an interpreter with Lua's libraries and the global `torch`. `options` may be NULL: all defaults. Release by
 * facula_close. The text of a failure is in facula_message(NULL).
 */
FACULA_API facula_status facula_open(const facula_options *options, facula_state **out);

/**
 * Closes it; NULL is allowed. Tensors outlive their state; references become void and are still to be released. Within one
 * of its own callbacks, or while another thread is inside, it does nothing.
 */
FACULA_API void facula_close(facula_state *S);

/**
 * The text of the last failure in this state, "" before the first; with NULL, or what is no open state, of the last
 * failure without one in this thread. Valid until the next call with the same state (in the same thread).
 */
FACULA_API const char *facula_message(const facula_state *S);

/**
 * Where the script was when the last call failed: a line "\n\tfile:line: in 'function'" for each Lua function, innermost
 * first; "" if no script was running. Valid as long as the message.
 */
FACULA_API const char *facula_traceback(const facula_state *S);

/**
 * Stops what runs in the state; the one function that any thread, but no signal handler, may call at any time. The call
 * that runs returns FACULA_INTERRUPTED: from operators that work in pieces at the next piece, from Lua within some
 * thousand instructions; pcall in the script does not hold it up. A loop that LuaJIT has compiled is stopped only
 * when it calls an operator: where that is not enough, open the state as `interruptible`, at the price of the compiler.
 * The state can be used afterwards. Where nothing runs it has no effect.
 */
FACULA_API facula_status facula_interrupt(facula_state *S);

/* ---- running code ------------------------------------------------------------------------------------------------------ */

/**
 * Compiles and runs Lua code. `chunk_name` is its name in messages: "=name" shows name, "@file.lua" a file; NULL shows the
 * beginning of the code. What it returns is dropped.
 */
FACULA_API facula_status facula_run_string(facula_state *S, const char *code, const char *chunk_name);
/** The same with code of `length` bytes. */
FACULA_API facula_status facula_run_buffer(facula_state *S, const char *code, size_t length, const char *chunk_name);
/** Runs a file. */
FACULA_API facula_status facula_run_file(facula_state *S, const char *path);
/** Compiles code without running it: a function to be called with facula_call_reference. */
FACULA_API facula_status facula_compile(facula_state *S, const char *code, size_t length, const char *chunk_name,
                                        facula_reference **out);

/* ---- values ------------------------------------------------------------------------------------------------------------ */

typedef enum facula_type {
  FACULA_NIL = 0,
  FACULA_BOOLEAN = 1,
  FACULA_NUMBER = 2,  /* every Lua number */
  FACULA_INTEGER = 3, /* from Lua only an int64_t or uint64_t cdata; to Lua a number, beyond 2^53 an int64_t */
  FACULA_STRING = 4,
  FACULA_TENSOR = 5,
  FACULA_REFERENCE = 6 /* anything else: tables, functions, modules, dtypes ... */
} facula_type;

/** A Lua value. What a function of this header puts into one is released by facula_value_release. */
typedef struct facula_value {
  facula_type type;
  union {
    int boolean;
    double number;
    int64_t integer;
    struct {
      const char *bytes; /* any bytes; a zero byte stands behind them when they come from here */
      size_t length;
    } string;
    facula_tensor *tensor;
    facula_reference *reference;
  } as;
} facula_value;

/** Releases what a value holds and makes it nil; NULL is allowed. Not for values that the host made of its own strings. */
FACULA_API void facula_value_release(facula_value *value);

/**
 * Calls the Lua function at `name` with tensors. `name` is a global or a path from one, "model" or "nets.small.forward"
 * (anything that can be called, so modules too), or else a path in torch: "sum", "nn.functional.relu". `out` receives
 * `n_out` tensors, each released by facula_tensor_release; further results are dropped. Errors: no such function; a
 * result that is no tensor.
 */
FACULA_API facula_status facula_call(facula_state *S, const char *name, facula_tensor *const *in, size_t n_in,
                                     facula_tensor **out, size_t n_out);
/** The same with values of all kinds; results that are missing come as nil. */
FACULA_API facula_status facula_call_values(facula_state *S, const char *name, const facula_value *in, size_t n_in,
                                            facula_value *out, size_t n_out);
/** Calls a value that is held. */
FACULA_API facula_status facula_call_reference(facula_state *S, const facula_reference *function, const facula_value *in,
                                               size_t n_in, facula_value *out, size_t n_out);

/** The value at a global or a path from one, as in facula_call; nil if there is none. */
FACULA_API facula_status facula_get(facula_state *S, const char *name, facula_value *out);
/** Sets it. On the path tables are made where there is nothing. Errors: something on the path cannot be indexed. */
FACULA_API facula_status facula_set(facula_state *S, const char *name, const facula_value *value);

/** Keeps the value alive in its state and gives a handle to it. */
FACULA_API facula_status facula_reference_new(facula_state *S, const facula_value *value, facula_reference **out);
/** The value behind it: itself again, as a FACULA_REFERENCE of its own, where there is no other type for it. */
FACULA_API facula_status facula_reference_get(facula_state *S, const facula_reference *reference, facula_value *out);
/**
 * Releases it; NULL is allowed. In the thread that has the state, as all functions with one; after the state was closed, in
 * any.
 */
FACULA_API void facula_reference_release(facula_reference *reference);

/* ---- host functions ---------------------------------------------------------------------------------------------------- */

/** How many results a host function may have. */
#define FACULA_MAX_RESULTS 16

/**
 * A function of the host that scripts call. `in` holds its `n_in` arguments, borrowed: a tensor or reference that is to be
 * kept must be retained. Results go to `out`, which has room for FACULA_MAX_RESULTS; their number to `*n_out`, which is 0
 * before. The strings among them are copied right after the return, tensors and references are taken over. Anything
 * but FACULA_OK is an error in the script, with the message of the last call that failed, or that of facula_fail. It
 * may call all functions of this header but facula_close with S. A C++ exception becomes an error in the script. It must
 * not be left by longjmp: a state that this happened to can only be closed.
 */
typedef facula_status (*facula_function)(facula_state *S, const facula_value *in, size_t n_in, facula_value *out,
                                         size_t *n_out, void *user);

/**
 * Makes a host function the value at `name`, a path as in facula_set. `done`, unless NULL, runs with `user` once when the
 * function is collected or the state is closed; not if the registration fails.
 */
FACULA_API facula_status facula_register(facula_state *S, const char *name, facula_function function, void *user,
                                         void (*done)(void *user));

/** Sets the message of the state and returns FACULA_ERROR: `return facula_fail(S, "no camera");` in a host function. */
FACULA_API facula_status facula_fail(facula_state *S, const char *message);

/* ---- tensors ----------------------------------------------------------------------------------------------------------- */

typedef enum facula_dtype {
  FACULA_BOOL = 0,
  FACULA_UINT8 = 1,
  FACULA_INT8 = 2,
  FACULA_INT16 = 3,
  FACULA_INT32 = 4,
  FACULA_INT64 = 5,
  FACULA_FLOAT16 = 6,
  FACULA_BFLOAT16 = 7,
  FACULA_FLOAT32 = 8,
  FACULA_FLOAT64 = 9,
  FACULA_COMPLEX64 = 10,
  FACULA_COMPLEX128 = 11
} facula_dtype;

typedef enum facula_device { FACULA_CPU = 0, FACULA_META = 1, FACULA_CUDA = 2 } facula_device;

/** Elements in memory. */
typedef struct facula_view {
  size_t size; /* sizeof(facula_view) */
  void *data;  /* the first element, aligned to its size */
  facula_dtype dtype;
  int dim;              /* number of dimensions, at most 64 */
  const int64_t *sizes; /* dim of them */
  /** dim of them, in elements, none negative; NULL: dense, the last dimension fastest. */
  const int64_t *strides;
} facula_view;

/**
 * A tensor over the host's memory, without a copy: what one side writes the other reads. The memory must be writable and
 * stay until `done(user)` runs, which happens exactly once, when the last user is gone, in whatever thread that is;
 * `done` may be NULL. It may not call into the state. If the call fails, `done` does not run. Release by
 * facula_tensor_release.
 */
FACULA_API facula_status facula_tensor_wrap(facula_state *S, const facula_view *host, void (*done)(void *user), void *user,
                                            facula_tensor **out);
/** A tensor of its own with a copy of the host's elements; zeros if `data` is NULL. */
FACULA_API facula_status facula_tensor_copy(facula_state *S, const facula_view *host, facula_tensor **out);
/** Another reference to the same tensor, or NULL for what is no tensor. */
FACULA_API facula_tensor *facula_tensor_retain(const facula_tensor *t);
/** Gives a reference back, in any thread; NULL is allowed. */
FACULA_API void facula_tensor_release(facula_tensor *t);

/**
 * Copies the elements in row-major order, whatever the strides and the device. `bytes` must be facula_tensor_bytes(t): the
 * dtype is not converted. Errors: another number of bytes; a meta tensor.
 */
FACULA_API facula_status facula_tensor_read(facula_state *S, const facula_tensor *t, void *buffer, size_t bytes);
/** Copies elements in row-major order into the tensor. Errors as above; elements that share memory (expanded tensors). */
FACULA_API facula_status facula_tensor_write(facula_state *S, const facula_tensor *t, const void *buffer, size_t bytes);

/**
 * Sizes, strides and the address of the elements. Set `out->size` before; the lists are the tensor's own, valid while the
 * caller holds it and no script resizes it. `data` is NULL on meta, and device memory on cuda.
 */
FACULA_API facula_status facula_tensor_view(const facula_tensor *t, facula_view *out);

/** Properties one by one; -1, or NULL, for what is no tensor, and for a dimension outside 0..dim-1. */
FACULA_API void *facula_tensor_data(const facula_tensor *t);
FACULA_API int facula_tensor_dtype(const facula_tensor *t); /* a facula_dtype */
FACULA_API int facula_tensor_dim(const facula_tensor *t);
FACULA_API int64_t facula_tensor_size(const facula_tensor *t, int d);
FACULA_API int64_t facula_tensor_stride(const facula_tensor *t, int d); /* in elements */
FACULA_API int64_t facula_tensor_numel(const facula_tensor *t);
FACULA_API int64_t facula_tensor_bytes(const facula_tensor *t); /* of its elements when dense: numel times item size */
/** A facula_device; its number, unless `index` is NULL, goes to `*index` (0 for CPU and meta). */
FACULA_API int facula_tensor_device(const facula_tensor *t, int *index);

/**
 * The tensor in DLPack's form, for NumPy, PyTorch, JAX and others, without a copy. The structure is declared in dlpack.h
 * and, for hosts that have none, in facula_dlpack.h. Its `deleter` gives it back, once, in any thread. Errors: a tensor that
 * requires grad (detach it first), a meta tensor.
 */
struct DLManagedTensor;
FACULA_API facula_status facula_tensor_to_dlpack(facula_state *S, const facula_tensor *t, struct DLManagedTensor **out);
/**
 * A tensor over memory in DLPack's form, without a copy. Takes it over: its deleter runs when the last user is gone. After
 * a failure it is still the caller's. Errors: dtypes, devices and strides that facula does not have.
 */
FACULA_API facula_status facula_tensor_from_dlpack(facula_state *S, struct DLManagedTensor *managed, facula_tensor **out);

#ifdef __cplusplus
}
#endif

#endif
