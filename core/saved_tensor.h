// Tensors kept for derivatives, and hooks that decide how.
#pragma once

#include "core/autograd.h"

namespace facula {

/// What a hook keeps in place of a tensor.
class Packed : public RefCounted {
 public:
  virtual ~Packed() = default;
  /// A tensor with the sizes, dtype and elements of the one that was packed.
  virtual Tensor unpack() = 0;
  static void destroy(Packed* p) { delete p; }
};

/// Decides what is kept of tensors that derivatives need.
class SavedHooks : public RefCounted {
 public:
  virtual ~SavedHooks() = default;
  virtual Ref<Packed> pack(const Tensor& t) = 0;
  static void destroy(SavedHooks* h) { delete h; }
};

/// While it lives, what this thread saves goes through these hooks; none switches those of outer guards off.
class SavedHooksGuard {
 public:
  explicit SavedHooksGuard(Ref<SavedHooks> hooks);
  ~SavedHooksGuard();
  SavedHooksGuard(const SavedHooksGuard&) = delete;
  SavedHooksGuard& operator=(const SavedHooksGuard&) = delete;

 private:
  Ref<SavedHooks> outer_;
};

/// One tensor kept by a node.
class SavedTensor {
 public:
  SavedTensor() = default;
  /// `output`: the number of the node's result that it is; such a one is kept without its history, or node and tensor
  /// would hold each other. -1 for any other tensor.
  explicit SavedTensor(const Tensor& t, int output = -1);

  bool defined() const { return tensor_.defined() || packed_; }
  /// Was it changed in place after it was saved?
  bool is_stale() const { return tensor_.defined() && tensor_.version() != version_; }
  Meta meta() const;
  /// The tensor with its history; `node` keeps it.
  Tensor unpack(const Node& node) const;

 private:
  struct ByHook {
    Ref<Packed> packed;
    Meta meta;
    Edge history;
  };

  Tensor tensor_;
  uint32_t version_ = 0;
  int output_ = -1;
  std::unique_ptr<ByHook> packed_;
};

}  // namespace facula
